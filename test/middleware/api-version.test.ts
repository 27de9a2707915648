import { EventEmitter } from 'node:events';
import { logIn, startApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import type { Emulator } from '../../lib/emulator';

const asked = ({ requests }: Emulator) => requests.filter(({ path }) => path === '/services/data/').length;

async function start(options: Record<string, unknown> = {}) {
  const emulator = await startTestEmulator();
  const asking = new EventEmitter();
  let requests = 0;
  const started = await startApp({
    emulator,
    options,
    routes: (app) => {
      app.get('/version', (req, res, next) => {
        const version = req.salesforce.apiVersion();
        requests += 1;
        asking.emit(String(requests));
        version.then((version) => res.json({ version })).catch(next);
      });
    },
  });
  return { emulator, asking, ...started };
}

describe('req.salesforce.apiVersion()', () => {
  it('asks the organization once, however many requests and users want it', async () => {
    const { emulator, browser, salesforce } = await start();
    const [one, other] = [browser(), browser()];
    await logIn(one, emulator, { user: 0 });
    await logIn(other, emulator, { user: 1 });

    const answers = await Promise.all([one, other, one, other, one].map((tab) => tab.get('/version')));

    expect(answers.map(({ body }) => body as unknown)).toEqual(Array(5).fill({ version: '68.0' }));
    expect(asked(emulator)).toBe(1);
    const { grantId } = (await one.get('/me')).body as { grantId: string };
    expect(await (await salesforce.tokens.get(grantId)).apiVersion()).toBe('68.0');
    expect(asked(emulator)).toBe(1);
  });

  it('asks for a user who waited, if the login of the user who was first has ended', async () => {
    const { emulator, browser, asking } = await start();
    const [one, other] = [browser(), browser()];
    await logIn(one, emulator, { user: 0 });
    await logIn(other, emulator, { user: 1 });
    const arrived = new Promise((resolve) => asking.on('2', () => setImmediate(resolve)));
    emulator.faults.inject({ on: 'data', kind: 'error', error: 'INVALID_SESSION_ID', status: 401 });
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });

    const first = one.get('/version').then(({ body }) => body as unknown);
    await held.reached;
    const second = other.get('/version').then(({ body }) => body as unknown);
    await arrived;
    emulator.revokeRefreshTokens({ username: emulator.users[0]!.username });
    held.release();

    expect(await first).toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    expect(await second).toEqual({ version: '68.0' });
  });

  it('asks again after a day', async () => {
    const clock = new ManualClock();
    const { emulator, browser } = await start({ clock, sessionTimeoutSeconds: 1_000_000 });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get('/version');
    clock.advanceSeconds(24 * 60 * 60 - 1);
    await tab.get('/version');
    expect(asked(emulator)).toBe(1);

    clock.advanceSeconds(1);
    expect((await tab.get('/version')).body).toEqual({ version: '68.0' });
    expect(asked(emulator)).toBe(2);
  });

  it.each([
    ['a failure', { kind: 'status', status: 503 }, 503],
    [
      'an answer without versions',
      { kind: 'status', status: 200, body: '[{"label":"Winter"},null,{"version":68},{"version":"x"}]' },
      502,
    ],
    ['no JSON', { kind: 'html' }, 502],
  ])('tells %s, and does not remember it', async (_title, fault, status) => {
    const { emulator, browser } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    emulator.faults.inject({ on: 'data', ...fault } as never);

    expect((await tab.get('/version')).status).toBe(status);
    expect((await tab.get('/version')).body).toEqual({ version: '68.0' });
  });

  it('answers 401 without a login', async () => {
    const { browser } = await start();

    expect((await browser().get('/version')).body).toMatchObject({ code: 'ERR_SALESFORCE_NOT_AUTHENTICATED' });
  });
});
