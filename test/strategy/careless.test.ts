/** @tier all */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import '../helpers/built';
import { expectTable } from './table';

/* Code of an application that throws, rejects or answers twice, in processes of its own, which an exception that is not caught ends. */

const program = join(__dirname, 'programs/careless.mjs');
const ends = 'ends the process';
const nothing =
  '500 SalesforceAuthError: Code of the application failed, and gave no error object. Throw an Error, or reject with one.';

const firstCounts = 'The user is logged in by then. The second answer is reported to the operator.';

/** Why the two differ, if one is not better than the other. */
const onPurpose: Readonly<Record<string, string>> = {
  'a custom callback that throws after an error without a login':
    'An error that no login of this browser led to is not believed.',
  'verify that throws a text': 'A value that is no error object is not passed on, since it may hold a secret.',
  'verify that answers, and then with an error': firstCounts,
  'verify that throws after its answer': firstCounts,
};

/** What each case of the program comes to. A process that has ended is started anew with the case after. */
function runAll(kind: 'plain' | 'ours'): Record<string, string> {
  const seen: string[] = [];
  for (;;) {
    const { stdout, stderr, status } = spawnSync(process.execPath, [program, kind, String(seen.length)], {
      encoding: 'utf8',
    });
    const [names, ...answers] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as string | string[]);
    seen.push(...(answers as string[]));
    if (seen.length === names!.length)
      return Object.fromEntries((names as string[]).map((name, index) => [name, seen[index]!]));
    // Not a mistake of the program itself.
    expect([status, stderr]).toEqual([1, expect.stringMatching(/RangeError: no|undefined|HEADERS_SENT/)]);
    seen.push(ends);
  }
}

describe('code of the application that throws, rejects or answers twice', () => {
  let plain: Record<string, string>;
  let ours: Record<string, string>;
  beforeAll(() => {
    [plain, ours] = [runAll('plain'), runAll('ours')];
  });

  it('ends no process with SalesforceStrategy, and the request gets one answer', () => {
    expect(ours).toEqual({
      'a custom callback that throws its error': '500 RangeError: no',
      'a custom callback that throws after the response has begun': '200 begun',
      'an async custom callback that rejects after a login': '500 RangeError: no',
      // Passport drops the promise of this one.
      'an async custom callback that rejects after a denial': ends,
      'a custom callback that throws after an error without a login': '500 RangeError: no',
      'verify that rejects': '500 RangeError: no',
      'verify that rejects with nothing': nothing,
      'verify that throws nothing': nothing,
      'verify that throws a text': nothing,
      'verify that answers twice': '200 logged in',
      'verify that answers, and then with an error': '200 logged in',
      'verify that throws after its answer': '200 logged in',
      'an async verify that rejects after its answer': '200 logged in',
      'userProfile() that rejects': '500 RangeError: no',
      'userProfile() that throws': '500 RangeError: no',
      'skipUserProfile that rejects': '500 RangeError: no',
      'skipUserProfile that throws': '500 RangeError: no',
      // Express 4 forgets the promise of the handler, which is the application's own.
      'a handler that forgets a promise': ends,
    });
  });

  it('is shown by docs/reference/strategy.md beside what it does with passport-oauth2', () => {
    const rows = Object.keys(plain).map((name) => {
      const why = onPurpose[name];
      const verdict =
        plain[name] === ours[name] ? 'same' : why === undefined ? 'better' : `different on purpose: ${why}`;
      return { name, plain: plain[name]!, ours: ours[name]!, verdict };
    });

    expectTable('careless', 'Code of the application', rows);
    expect(rows.filter((row) => row.plain !== ends && row.ours === ends)).toEqual([]);
    expect(rows.filter((row) => row.plain === ends && row.ours !== ends).length).toBeGreaterThan(5);
  });
});
