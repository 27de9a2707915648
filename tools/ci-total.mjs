/** Adds up what `.ci/run` saw: results and exit codes of jest and of the package checks, and the other checks that failed. */
import { existsSync, readFileSync } from 'node:fs';

const [jestFile, jestExit, packageFile, packageExit, failedChecks] = process.argv.slice(2);
const jest = read(jestFile);
const packageChecks = read(packageFile);
// A suite that does not even load has no test to count.
const jestFailures = (jest?.numFailedTests ?? 0) + (jest?.numRuntimeErrorTestSuites ?? 0);
const passed = (jest?.numPassedTests ?? 0) + (packageChecks?.passed ?? 0);
const failed =
  failures(jest, jestFailures, jestExit) +
  failures(packageChecks, packageChecks?.failed ?? 0, packageExit) +
  Number(failedChecks);
const skipped = (jest?.numPendingTests ?? 0) + (jest?.numTodoTests ?? 0);

console.log(`Executed ${passed + failed} tests and checks; skipped ${skipped}.`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function read(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

/** A run without results, or that counted no failure and failed all the same, is one failure. */
function failures(results, counted, exitCode) {
  return counted === 0 && (exitCode !== '0' || !results) ? 1 : counted;
}
