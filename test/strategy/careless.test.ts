import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import '../helpers/built';

describe('code of the application that throws, rejects or answers twice', () => {
  it('ends no process, and the request gets one answer', async () => {
    // A process of its own: jest keeps exceptions that nobody catches away from its tests.
    const program = join(__dirname, 'programs/careless.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [program]);

    const nothing = '500 Error: Code of the application failed, and gave no error object.';
    expect(stdout.trim().split('\n')).toEqual([
      'custom callback throws its error | 500 RangeError: no | lives',
      'custom callback throws after the response began | 200 begun | lives',
      'async custom callback rejects after a login | 500 RangeError: no | lives',
      'verify rejects | 500 RangeError: no | lives',
      `verify rejects with nothing | ${nothing} | lives`,
      `verify throws nothing | ${nothing} | lives`,
      'verify answers twice | 200 logged in | lives',
      'verify throws after its answer | 200 logged in | lives',
      'userProfile rejects | 500 RangeError: no | lives',
      'skipUserProfile rejects | 500 RangeError: no | lives',
      'anonymous error at the callback | 500 RangeError: no | lives',
      // Express 4 forgets the promise of the handler, which is the application's own.
      'a handler that forgets a promise | no answer | unhandledRejection',
    ]);
  });
});
