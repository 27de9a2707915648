/**
 * `npm run fault-matrix`, `npm run kills`, `npm run herd`, `npm run shutdowns`: a test of test/crash in full, which `npm run
 * test:all` runs in small. The first three write what they saw to docs/internals/fault-matrix.md. Arguments after the name go to jest.
 */
const [name, ...given] = process.argv.slice(2);
process.env.CRASH_REPORT = 'write';
process.argv.splice(2, Infinity, `test/crash/${name}.test.ts`, ...given);
await import('./test.mjs');
