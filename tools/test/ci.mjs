/** Whether this is continuous integration: no test may be skipped, and programs may be installed. */
export const isCI = !['', '0', 'false', undefined].includes(process.env.CI);
