/** @tier all */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Emulator } from '../../lib/emulator';
import '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';
import { nodeLines } from '../helpers/node-lines';
import { freePort, temporaryFolder } from '../stores/servers/programs';
import { root } from './support';

/* The example with an app in Salesforce, which keeps logins in SQLite, on the newest Node.js. */

jest.setTimeout(240_000);

const { execPath } = nodeLines().at(-1)!;
const started = new Set<ChildProcess>();
const folders = new Set<() => void>();
afterEach(() => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
  for (const remove of folders) remove();
  folders.clear();
});

interface Restartable {
  emulator: Emulator;
  /** Cookie of a user who is logged in. */
  cookie: string;
  logIn: () => Promise<string>;
  /** Status and content of a guarded page. */
  accounts: () => Promise<{ status: number; location: string | null; text: string }>;
  /** Ends the process, and starts the example anew. */
  restart: (signal: NodeJS.Signals) => Promise<void>;
}

async function start(): Promise<Restartable> {
  const emulator = await startTestEmulator();
  const folder = temporaryFolder();
  folders.add(folder.remove);
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const client = emulator.registerClient({ callbackURLs: [`${url}/auth/salesforce/callback`] });
  const env = {
    ...{ NODE_ENV: 'development', SESSION_SECRET: '', PORT: String(port), DATA_FOLDER: folder.path },
    ...{ SALESFORCE_CLIENT_ID: client.clientID, SALESFORCE_CLIENT_SECRET: client.clientSecret },
    ...{ SALESFORCE_BASE_URL: emulator.url, SALESFORCE_SCOPE: 'openid id api refresh_token' },
    ...{ SALESFORCE_CALLBACK_URL: '', SALESFORCE_PROMPT_TYPE: '', SALESFORCE_CLIENT_KEY: '' },
  };
  const run = async (): Promise<ChildProcess> => {
    const child = spawn(execPath, ['example/start.mjs'], { cwd: root, env: { ...process.env, ...env } });
    started.add(child);
    let output = '';
    await new Promise<void>((resolve, reject) => {
      const read = (part: Buffer): void => {
        output += part.toString();
        if (output.includes('Ready: ')) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => reject(new Error(output)));
    });
    expect(output).toContain('a restart logs no user out');
    return child;
  };
  let child = await run();
  const logIn = (): Promise<string> => emulator.logInTo(url);
  const running: Restartable = {
    emulator,
    cookie: await logIn(),
    logIn,
    accounts: async () => {
      const headers = { cookie: running.cookie, accept: 'text/html', 'sec-fetch-mode': 'navigate' };
      const reply = await fetch(`${url}/accounts`, { headers, redirect: 'manual' });
      return { status: reply.status, location: reply.headers.get('location'), text: await reply.text() };
    },
    restart: async (signal) => {
      const exit = once(child, 'exit');
      child.kill(signal);
      await exit;
      child = await run();
    },
  };
  return running;
}

const refreshes = ({ requests }: Emulator): number =>
  requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
const logins = ({ requests }: Emulator): number =>
  requests.filter(({ body }) => body?.['grant_type'] === 'authorization_code').length;

/** The page once the example knows what became of the refresh: until then it answers 503. */
async function settled({ accounts }: Restartable): ReturnType<Restartable['accounts']> {
  for (;;) {
    const answer = await accounts();
    if (answer.status !== 503) return answer;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

describe('a restart of the example', () => {
  it('logs no user out, and sends no request to Salesforce', async () => {
    const example = await start();
    expect((await example.accounts()).status).toBe(200);

    await example.restart('SIGTERM');

    expect((await example.accounts()).status).toBe(200);
    expect([logins(example.emulator), refreshes(example.emulator)]).toEqual([1, 0]);
  });

  it('by kill -9 in the middle of a refresh that Salesforce has not carried out, logs no user out', async () => {
    const example = await start();
    const { emulator } = example;
    const fault = emulator.faults.inject({ on: 'refresh', kind: 'hang' });
    emulator.expireAccessTokens();
    const lost = example.accounts().catch(() => undefined);
    await fault.reached;

    await example.restart('SIGKILL');
    await lost;

    expect((await settled(example)).status).toBe(200);
    expect(logins(emulator)).toBe(1);
  });

  it('by kill -9 with the answer of a refresh on its way, costs exactly one clean login', async () => {
    const example = await start();
    const { emulator } = example;
    const fault = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    emulator.expireAccessTokens();
    const lost = example.accounts().catch(() => undefined);
    await fault.reached;

    await example.restart('SIGKILL');
    fault.release();
    await lost;

    const { status, location } = await settled(example);
    expect([status, location?.startsWith('/auth/salesforce')]).toEqual([302, true]);
    example.cookie = await example.logIn();
    expect((await example.accounts()).status).toBe(200);
    expect([logins(emulator), refreshes(emulator)]).toEqual([2, 1]);
  });
});
