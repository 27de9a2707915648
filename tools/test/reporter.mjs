import { writeFileSync } from 'node:fs';

/**
 * Writes the counts of passed, failed and skipped tests to the file of TEST_COUNTS. test/helpers/programs.ts writes the
 * titles.
 */
export default class Reporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_COUNTS;
    if (!file) return;
    const without = {};
    let skipped = 0;
    for (const { status, ancestorTitles } of results.testResults.flatMap(({ testResults }) => testResults)) {
      if (status !== 'pending' && status !== 'todo') continue;
      const program = /\[without (\w+)\]/.exec(ancestorTitles.join())?.[1];
      if (program === undefined) skipped += 1;
      else without[program] = (without[program] ?? 0) + 1;
    }
    writeFileSync(
      file,
      JSON.stringify({
        passed: results.numPassedTests,
        // A file that does not load has no tests to count.
        failed: results.numFailedTests + results.numRuntimeErrorTestSuites,
        skipped,
        without,
      }),
    );
  }
}
