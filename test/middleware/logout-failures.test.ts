import expressSession, { type SessionData } from 'express-session';
import { MemoryTokenStore } from '../../lib';
import type { SalesforceAuthError } from '../../lib/errors';
import { loginUnknown, userMessages } from '../../lib/salesforce-errors/user-messages';
import { logIn, startApp, type Browser, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import type { Emulator } from '../../lib/emulator';

/** What the user and the operator are told if nothing was written. */
const nobodyLoggedOut = userMessages.ERR_SALESFORCE_TOKEN_STORE.userMessage;

interface LoggedIn extends TestApp {
  emulator: Emulator;
  tab: Browser;
  sessions: FailingSessions;
}

/** A session store whose parts can fail. */
class FailingSessions extends expressSession.MemoryStore {
  failing: 'get' | 'set' | 'destroy' | undefined;

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    if (this.failing === 'get') done(new Error('down'));
    else super.get(id, done);
  }

  override set(id: string, session: SessionData, done?: (error?: unknown) => void): void {
    if (this.failing === 'set') done?.(new Error('down'));
    else super.set(id, session, done);
  }

  override destroy(id: string, done?: (error?: unknown) => void): void {
    if (this.failing === 'destroy') done?.(new Error('down'));
    else super.destroy(id, done);
  }
}

async function loggedIn(
  options: { store?: MemoryTokenStore; refresh?: { storeTimeoutMs: number } } = {},
): Promise<LoggedIn> {
  const emulator = await startTestEmulator();
  const sessions = new FailingSessions();
  const given = { secret: '__test_session_secret__', resave: false, saveUninitialized: false, store: sessions };
  const app = await startApp({
    emulator,
    options: { ...options },
    sessionMiddleware: expressSession(given) as never,
    routes: (routes, salesforce) => void routes.use(salesforce.errorHandler()),
  });
  const tab = app.browser();
  await logIn(tab, emulator);
  return { ...app, emulator, tab, sessions };
}

const told = ({ errors }: TestApp): [userMessage: string, message: string] => {
  const { userMessage, message } = errors.at(-1) as SalesforceAuthError;
  return [userMessage, message];
};

describe('a logout whose session cannot be written', () => {
  it.each([
    ['saved', 'set'],
    ['renewed', 'destroy'],
  ] as const)('does not deny that the user is logged out (not %s)', async (what, failing) => {
    const app = await loggedIn();
    app.sessions.failing = failing;

    const answer = await app.tab.post('/auth/salesforce/logout');

    expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_SESSION_STORE']);
    expect(told(app)).toEqual([
      loginUnknown.userMessage,
      expect.stringContaining(`not be ${what}. The login or logout of this request may have happened all the same`),
    ]);
    expect(app.emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    app.sessions.failing = undefined;
    expect((await app.tab.get('/me')).status).toBe(401);
    expect((await app.tab.post('/auth/salesforce/logout')).status).toBe(204);
  });

  it('ends nothing and says so if the session could not be read', async () => {
    const app = await loggedIn();
    app.sessions.failing = 'get';

    const answer = await app.tab.post('/auth/salesforce/logout');

    expect(answer.status).toBe(503);
    expect(told(app)).toEqual([nobodyLoggedOut, expect.stringContaining('not be read. No user was logged out')]);
    app.sessions.failing = undefined;
    expect((await app.tab.get('/me')).status).toBe(200);
  });
});

describe('a logout whose token store fails', () => {
  it('does not deny that the user is logged out if the answer comes late', async () => {
    const store = new MemoryTokenStore();
    const app = await loggedIn({ store, refresh: { storeTimeoutMs: 100 } });
    let answerLate = (): void => undefined;
    const late = new Promise<void>((resolve) => (answerLate = resolve));
    const logOut = store.logOut.bind(store);
    const slow = jest.spyOn(store, 'logOut').mockImplementationOnce(async (...call) => {
      const outcome = await logOut(...call);
      await late;
      return outcome;
    });

    const answer = await app.tab.post('/auth/salesforce/logout');

    expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_TOKEN_STORE']);
    expect(told(app)).toEqual([loginUnknown.userMessage, expect.stringContaining('The logout may have happened')]);
    answerLate();
    slow.mockRestore();
    expect((await app.tab.post('/auth/salesforce/logout')).status).toBe(204);
    expect((await app.tab.get('/me')).status).toBe(401);
    await app.salesforce.close();
    expect(app.emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('ends nothing and says so if the grant could not be read', async () => {
    const store = new MemoryTokenStore();
    const app = await loggedIn({ store });
    const down = jest.spyOn(store, 'read').mockRejectedValue(new Error('down'));

    const answer = await app.tab.post('/auth/salesforce/logout');

    down.mockRestore();
    expect(answer.status).toBe(503);
    expect(told(app)).toEqual([nobodyLoggedOut, expect.stringContaining('No user was logged out')]);
    expect((await app.tab.get('/me')).status).toBe(200);
  });

  it('of two logins does not deny the logout of one because the other could not be read', async () => {
    const store = new MemoryTokenStore();
    const app = await loggedIn({ store });
    await logIn(app.tab, app.emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });
    const unread = jest.spyOn(store, 'read').mockRejectedValueOnce(new Error('down'));
    const unanswered = jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('down'));

    const answer = await app.tab.post('/auth/salesforce/logout');

    expect([unread.mock.calls.length, unanswered.mock.calls.length]).toEqual([2, 1]);
    unread.mockRestore();
    unanswered.mockRestore();
    expect(answer.status).toBe(503);
    expect(told(app)).toEqual([loginUnknown.userMessage, expect.stringContaining('The logout may have happened')]);
  });

  it('of two logins does not deny the logout of the one that has ended', async () => {
    const store = new MemoryTokenStore();
    const app = await loggedIn({ store });
    await logIn(app.tab, app.emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });
    jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('down'));

    await app.tab.post('/auth/salesforce/logout');

    expect(told(app)).toEqual([loginUnknown.userMessage, expect.stringContaining('1 of 2 logins have ended')]);
  });
});
