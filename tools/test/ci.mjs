/** Whether nothing may be left out, and programs may be installed: in a continuous integration. */
export const isCI = !['', '0', 'false', undefined].includes(process.env.CI);
