/** @tier all */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { dist } from '../helpers/built';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { logInByHand } from './before';

/** Runs a job to its end. Node.js ends a process with 13 if the process waits for something that nothing keeps alive. */
async function run(job: string, emulator?: Emulator): Promise<{ exitCode: unknown; output: string[] }> {
  emulator ??= await startTestEmulator({ app: 'current' });
  const { clientID, clientSecret } = emulator.clients[0]!;
  const { refreshToken } = await logInByHand(emulator, emulator.clients[0]!);
  const env = {
    ...{ PATH: process.env['PATH'], NODE_ENV: 'test', SALESFORCE_URL: emulator.url },
    ...{ CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, REFRESH_TOKEN: refreshToken },
  };
  const program = join(__dirname, 'programs/job.mjs');
  return new Promise((resolve) => {
    execFile(process.execPath, [program, job], { cwd: join(dist, '..'), env }, (error, stdout, stderr) => {
      resolve({ exitCode: error?.code ?? 0, output: `${stdout}${stderr}`.trim().split('\n') });
    });
  });
}

describe('a process that nothing but a refresh keeps alive', () => {
  it('waits for the refresh of another process, as long as a request does', async () => {
    expect(await run('waits for the refresh of another process')).toEqual({
      exitCode: 0,
      output: ['ERR_SALESFORCE_REFRESH_DELAYED', 'presenting', 'done'],
    });
  });

  it('stores new tokens, also if the store fails once', async () => {
    expect(await run('has a store that fails once')).toEqual({ exitCode: 0, output: ['idle', 'done'] });
  });

  it('stores new tokens, also if no caller waits for them', async () => {
    expect(await run('is over before its tokens are stored')).toEqual({ exitCode: 0, output: ['done', 'idle'] });
  });

  it('ends after closeTimeoutMs if the store goes on failing', async () => {
    expect(await run('has a store that fails for good')).toEqual({
      exitCode: 0,
      output: ['ERR_SALESFORCE_REFRESH_DELAYED', 'done'],
    });
  });

  it('logs out and revokes the tokens, although another process refreshes', async () => {
    const emulator = await startTestEmulator({ app: 'current' });

    expect(await run('logs out during the refresh of another process', emulator)).toEqual({
      exitCode: 0,
      output: ['loggedOut', 'done'],
    });

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
