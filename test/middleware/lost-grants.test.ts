/** What the operator hears if a token store has lost its grants. */
import expressSession from 'express-session';
import { MemoryTokenStore } from '../../lib';
import type { OperatorWarning } from '../../lib/reporter';
import { logIn, onClient, startApp, type Browser, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/** Two processes of one application with one session store, and a user with as many browsers as given. */
async function start(browsers: number, stores: readonly [MemoryTokenStore, MemoryTokenStore]) {
  const emulator = await startTestEmulator();
  const sessionMiddleware = expressSession({
    secret: '__test_session_secret__',
    resave: false,
    saveUninitialized: false,
  }) as never;
  const first = await startApp({ emulator, sessionMiddleware, options: { store: stores[0] } });
  const create = onClient(emulator, first.client, {
    store: stores[1],
    report: (warning: OperatorWarning) => void told.push(warning),
  });
  const told: OperatorWarning[] = [];
  const second = await startApp({ emulator, sessionMiddleware, create });
  const cookies: string[] = [];
  for (let index = 0; index < browsers; index++) {
    const browser = first.browser();
    const answer = await logIn(browser, emulator);
    cookies.push(
      ...(answer.headers['set-cookie'] as unknown as string[]).filter((cookie) => cookie.startsWith('connect.sid')),
    );
  }
  const missing = () => told.filter(({ code }) => code === 'GRANTS_MISSING');
  const visit = async (app: TestApp): Promise<number[]> => {
    const statuses = [];
    for (const cookie of cookies) {
      const browser: Browser = app.browser();
      statuses.push((await browser.get('/me').set('Cookie', cookie.split(';')[0]!)).status);
    }
    return statuses;
  };
  return { emulator, first, second, visit, missing };
}

describe('a token store without the grants of the sessions', () => {
  it('is told to the operator after 20 sessions', async () => {
    const { second, visit, missing } = await start(20, [new MemoryTokenStore(), new MemoryTokenStore()]);

    expect(await visit(second)).toEqual(Array<number>(20).fill(401));

    expect(missing()).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/another store, prefix or table.*doctor/) }),
    ]);
  });

  it('is not told after fewer sessions, which may be users who logged out everywhere', async () => {
    const { second, visit, missing } = await start(19, [new MemoryTokenStore(), new MemoryTokenStore()]);

    await visit(second);

    expect(missing()).toEqual([]);
  });

  it('is not told if the store knows that the logins were logged out', async () => {
    const store = new MemoryTokenStore();
    const { first, second, visit, missing } = await start(20, [store, store]);
    const grants = [];
    for await (const { grantId } of first.salesforce.tokens.list()) grants.push(grantId);
    for (const grantId of grants) await first.salesforce.tokens.revoke(grantId);

    expect(await visit(second)).toEqual(Array<number>(20).fill(401));

    expect(missing()).toEqual([]);
  });
});
