/** Adds up the results of `.ci/run`: failed checks, and the output and exit code of each test command. */
import { readFileSync } from 'node:fs';

const [failedChecks, ...runs] = process.argv.slice(2);
let [passed, failed, skipped] = [0, Number(failedChecks), 0];
for (let at = 0; at < runs.length; at += 2) {
  const last = [...readFileSync(runs[at], 'utf8').matchAll(/^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/gm)].at(
    -1,
  );
  const [good, bad, left] = (last ?? []).slice(1).map((count) => Number(count ?? 0));
  passed += good ?? 0;
  skipped += left ?? 0;
  // A run that printed no count, or that failed without a counted failure, is one failure.
  failed += bad || (runs[at + 1] === '0' && last ? 0 : 1);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed === 0 ? 0 : 1;
