/**
 * Four requests of one user after the access token has ended, with refresh token rotation on, at applications of this and of
 * other packages. The tables of README.md and docs/internals/comparison.md are from here; UPDATE_SIDE_BY_SIDE=1 writes them anew.
 *
 * @tier all
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dist } from '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';
import { takeViolations } from '../helpers/oracle';
import { Application } from './application';

const root = join(dist, '..');

interface App {
  module: string;
  /** What the application does beside using the module. */
  addition?: string;
  /** Salesforce sends no `expires_in`. express-openid-connect gives an application no access token without it. */
  expiresInSeconds?: number;
}

const own: App = { module: 'this-package' };
const apps: readonly App[] = [
  own,
  { module: 'jsforce', addition: ', by hand' },
  { module: 'express-openid-connect', expiresInSeconds: 7200 },
  { module: 'passport-oauth2-refresh' },
];

/** How many of the four requests Salesforce's API refuses at once; a slow one is refused when the first refresh has ended. */
const timings = { 'at once': 4, 'one late': 3 } as const;
type Timing = keyof typeof timings;

interface Outcome {
  tokenRequests: number;
  /** Refresh tokens that were presented more than once. */
  presentedAgain: number;
  answered: number;
  /** Whether the user is logged in after the next end of an access token. */
  isLoggedIn: boolean;
}

const running: Application[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.stop()));
});

async function play({ module, expiresInSeconds }: App, timing: Timing): Promise<Outcome> {
  const emulator = await startTestEmulator({
    callbackURLs: [],
    // Of the applications that log in by hand, not all send PKCE.
    app: 'legacy',
    policy: { rotateRefreshTokens: true, ...(expiresInSeconds === undefined ? {} : { expiresInSeconds }) },
  });
  const app = await Application.start(module, emulator);
  running.push(app);
  await app.logIn(emulator);
  expect((await app.get('/limits')).status).toBe(200);
  emulator.expireAccessTokens();

  const together = emulator.faults.inject({ on: 'data', kind: 'hold', times: timings[timing] });
  const late = emulator.faults.inject({ on: 'data', kind: 'hold', times: 4 - timings[timing] || 1 });
  const refresh = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
  let answers = 0;
  const requests = Array.from({ length: 4 }, () => app.get('/limits').finally(() => (answers += 1)));
  await until(() => together.hits + late.hits === 4);
  if (timing === 'at once') late.remove();
  together.release();
  await refresh.reached;
  // Requests that do not wait for the refresh of the first one present the refresh token, and are refused meanwhile.
  if (module !== own.module) await until(() => answers === timings[timing] - 1);
  refresh.release();
  if (timing === 'one late') {
    await until(() => answers === 3);
    late.release();
  }
  const statuses = (await Promise.all(requests)).map(({ status }) => status);
  const presentations = [...emulator.presentations.values()];
  emulator.expireAccessTokens();
  const next = await app.get('/limits');
  if (module !== own.module) takeViolations(emulator);
  return {
    tokenRequests: presentations.reduce((sum, count) => sum + count, 0),
    presentedAgain: presentations.filter((count) => count > 1).length,
    answered: statuses.filter((status) => status === 200).length,
    isLoggedIn: next.status === 200,
  };
}

async function until(isSeen: () => boolean): Promise<void> {
  while (!isSeen()) await new Promise((resolve) => setImmediate(resolve));
}

const outcomes: Record<Timing, Map<App, Outcome>> = { 'at once': new Map(), 'one late': new Map() };

describe.each(Object.keys(timings) as Timing[])('four requests after the end of an access token, %s', (timing) => {
  it.each(apps)('$module', async (app) => {
    outcomes[timing].set(app, await play(app, timing));
  });

  it('are all answered by this package, with one token request', () => {
    expect(outcomes[timing].get(own)).toEqual({ tokenRequests: 1, presentedAgain: 0, answered: 4, isLoggedIn: true });
  });
});

describe.each<[string, Timing]>([
  ['README.md', 'one late'],
  ['docs/internals/comparison.md', 'at once'],
  ['docs/internals/comparison.md', 'one late'],
])('%s', (document, timing) => {
  it(`has the table of this run: ${timing}`, () => {
    const path = join(root, document);
    const text = readFileSync(path, 'utf8');
    const marked = new RegExp(`(<!-- four requests, ${timing} -->\n)[^]*?(<!-- end of four requests -->)`);
    expect(text).toMatch(marked);
    const table = tableOf(outcomes[timing]);
    const rewritten = text.replace(marked, (_whole, begin: string, end: string) => `${begin}\n${table}\n\n${end}`);

    if (process.env['UPDATE_SIDE_BY_SIDE'] === '1') writeFileSync(path, rewritten);
    expect(readFileSync(path, 'utf8')).toBe(rewritten);
  });
});

function tableOf(rows: ReadonlyMap<App, Outcome>): string {
  const columns = ['', 'Token requests', 'Refresh tokens presented again', 'Requests answered', 'Still logged in'];
  const lines = [...rows].map(
    ([{ module, addition = '' }, { tokenRequests, presentedAgain, answered, isLoggedIn }]) => [
      module === own.module ? '**this package**' : `${module} ${versionOf(module)}${addition}`,
      ...[tokenRequests, presentedAgain, `${answered} of 4`, isLoggedIn ? 'yes' : 'no'],
    ],
  );
  return [columns, columns.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function versionOf(name: string): string {
  const { version } = JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as {
    version: string;
  };
  return version;
}
