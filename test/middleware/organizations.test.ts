import type { NextFunction, Request, RequestHandler, Response } from 'express';
import type { EmulatorUser } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type Browser, type TestAppOptions } from '../helpers/app';

/** Express 4 and 5 alike: failures of an asynchronous handler go to `next`. */
const handler =
  (run: (req: Request, res: Response) => Promise<void>): RequestHandler =>
  (req: Request, res: Response, next: NextFunction) => {
    run(req, res).catch(next);
  };

/** An application with routes for everything a session with several logins can do. */
async function start(given: Partial<TestAppOptions> = {}) {
  const emulator = await startTestEmulator();
  const [ada, grace, linus] = emulator.users as [
    (typeof emulator.users)[0],
    (typeof emulator.users)[0],
    (typeof emulator.users)[0],
  ];
  const app = await startApp({
    emulator,
    ...given,
    routes: (express, salesforce) => {
      express.get('/logins', (req, res) => void res.json(req.salesforce.logins));
      express.get(
        '/of/:which',
        handler(async (req, res) => {
          const login = req.salesforce.for(String(req.params['which']));
          if (!login) return void res.sendStatus(404);
          const reply = await login.fetch('/services/data/v62.0/query?q=SELECT+Id+FROM+Account');
          res.status(reply.status).json({ username: login.user.username, scope: login.scope });
        }),
      );
      express.post(
        '/switch/:which',
        handler(async (req, res) => {
          await req.salesforce.switchTo(String(req.params['which']));
          res.json(req.salesforce.user);
        }),
      );
      express.get(
        '/acme',
        salesforce.require({ organization: ada.organizationId }),
        (req, res) => void res.json(req.salesforce.user),
      );
      express.get(
        '/globex',
        salesforce.require({ organization: linus.organizationId }),
        (req, res) => void res.json(req.salesforce.user),
      );
      express.get('/cookie', (req, res) => void res.json({ cookie: req.headers.cookie }));
      express.post('/everywhere', salesforce.logout({ everywhere: true }));
      given.routes?.(express, salesforce);
      express.use(salesforce.errorHandler());
    },
  });
  return { ...app, emulator, ada, grace, linus };
}

const adding = '/auth/salesforce?add=true';

async function usernames(tab: Browser, path = '/logins'): Promise<string[]> {
  return ((await tab.get(path)).body as { user: { username: string } }[]).map(({ user }) => user.username);
}

describe.each(['express-session', 'cookie-session'] as const)(
  'several organizations in one session, with %s',
  (session) => {
    it('are added one by one, under a new session id each time; the latest is the current one', async () => {
      const { browser, emulator, ada, linus } = await start({ session });
      const tab = browser();
      await logIn(tab, emulator);
      const before = (await tab.get('/cookie')).body.cookie as string;

      await logIn(tab, emulator, { user: 2, loginPath: adding });

      const logins = (await tab.get('/logins')).body as unknown[];
      expect(logins).toEqual([
        { user: expect.objectContaining({ username: linus.username }), grantId: expect.any(String), isCurrent: true },
        { user: expect.objectContaining({ username: ada.username }), grantId: expect.any(String), isCurrent: false },
      ]);
      expect((await tab.get('/cookie')).body.cookie).not.toBe(before);
      expect((await tab.get('/me')).body.user.username).toBe(linus.username);
    });

    it('are each called with their own token, by organization id of either length or by grant id', async () => {
      const { browser, emulator, ada, linus } = await start({ session });
      const tab = browser();
      await logIn(tab, emulator);
      await logIn(tab, emulator, { user: 2, loginPath: adding });
      const { grantId } = ((await tab.get('/logins')).body as { grantId: string }[])[1]!;
      emulator.expireAccessTokens();

      const answers = [];
      for (const which of [
        ada.organizationId,
        ada.organizationId.slice(0, 15),
        grantId,
        linus.organizationId,
        '00D000000000009',
      ]) {
        const answer = await tab.get(`/of/${which}`);
        answers.push([answer.status, (answer.body as { username?: string }).username]);
      }

      expect(answers).toEqual([
        [200, ada.username],
        [200, ada.username],
        [200, ada.username],
        [200, linus.username],
        [404, undefined],
      ]);
    });

    it('are switched between, and a guard takes the one it asks for', async () => {
      const { browser, emulator, ada, linus } = await start({ session });
      const tab = browser();
      await logIn(tab, emulator);
      await logIn(tab, emulator, { user: 2, loginPath: adding });

      expect([(await tab.get('/acme')).body.username, (await tab.get('/globex')).body.username]).toEqual([
        ada.username,
        linus.username,
      ]);
      // The guard's choice was for its request alone.
      expect((await tab.get('/me')).body.user.username).toBe(linus.username);

      expect((await tab.post(`/switch/${ada.organizationId}`)).body.username).toBe(ada.username);
      expect((await tab.get('/me')).body.user.username).toBe(ada.username);
      expect(await usernames(tab)).toEqual([ada.username, linus.username]);
      const unknown = await tab.post('/switch/00D000000000009');
      expect([unknown.status, unknown.body.code]).toEqual([403, 'ERR_SALESFORCE_WRONG_ORGANIZATION']);
    });

    it('are logged out of one by one: the other stays, and becomes the current one', async () => {
      const { browser, emulator, ada, linus } = await start({ session });
      const tab = browser();
      await logIn(tab, emulator);
      await logIn(tab, emulator, { user: 2, loginPath: adding });

      const left = await tab.post(`/auth/salesforce/logout?organization=${linus.organizationId}`);

      expect(left.status).toBe(204);
      expect(emulator.liveTokens({ organizationId: linus.organizationId })).toEqual({
        accessTokens: 0,
        refreshTokens: 0,
      });
      expect(await usernames(tab)).toEqual([ada.username]);
      expect((await tab.get('/accounts')).status).toBe(200);
      expect((await tab.get('/globex')).status).toBe(403);
      expect((await tab.post(`/auth/salesforce/logout?organization=${linus.organizationId}`)).status).toBe(204);
      expect(await usernames(tab)).toEqual([ada.username]);
    });

    it.each(['acme', '', '00D', '005000000000001AAA'])(
      'are left alone by a logout of something that is no organization: %p',
      async (which) => {
        const { browser, emulator, ada } = await start({ session });
        const tab = browser();
        await logIn(tab, emulator);

        const answer = await tab.post(`/auth/salesforce/logout?organization=${which}`);

        expect([answer.status, answer.body.code]).toEqual([400, 'ERR_SALESFORCE_OPTION_INVALID']);
        expect(answer.body.message).toContain("begins with '00D'");
        expect(await usernames(tab)).toEqual([ada.username]);
      },
    );

    it('are logged out of all at once', async () => {
      const { browser, emulator } = await start({ session });
      const tab = browser();
      await logIn(tab, emulator);
      await logIn(tab, emulator, { user: 2, loginPath: adding });

      await tab.post('/auth/salesforce/logout');

      expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
      expect(await usernames(tab)).toEqual([]);
    });
  },
);

describe('several logins in one session', () => {
  it('can be two users of one organization: the current one goes first, else the latest', async () => {
    const { browser, emulator, ada, grace, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(tab, emulator, { user: 1, loginPath: adding });

    expect(await usernames(tab)).toEqual([grace.username, ada.username]);
    expect((await tab.get(`/of/${ada.organizationId}`)).body.username).toBe(grace.username);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    expect((await tab.get(`/of/${ada.organizationId}`)).body.username).toBe(grace.username);
    expect((await tab.get('/acme')).body.username).toBe(grace.username);

    // By organization both leave.
    await tab.post(`/auth/salesforce/logout?organization=${ada.organizationId}`);
    expect(await usernames(tab)).toEqual([linus.username]);
  });

  it('are replaced by a login that is not to be added, and released', async () => {
    const { browser, emulator, ada } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 1 });
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    await logIn(tab, emulator, { user: 0 });

    expect(await usernames(tab)).toEqual([ada.username]);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });

  it('stay one login if the same user is added again', async () => {
    const { browser, emulator, ada, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    await logIn(tab, emulator, { user: 0, loginPath: adding });

    expect(await usernames(tab)).toEqual([ada.username, linus.username]);
    await tab.post(`/auth/salesforce/logout?organization=${ada.organizationId}`);
    expect(emulator.liveTokens({ username: ada.username })).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('are added in two tabs at once', async () => {
    const { browser, emulator, ada, grace, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    const first = await walkToCallback(tab, emulator, { user: 1, loginPath: adding });
    const second = await walkToCallback(tab, emulator, { user: 2, loginPath: adding });

    await tab.get(first);
    await tab.get(second);

    expect(await usernames(tab)).toEqual([linus.username, grace.username, ada.username]);
  });

  it('are not added to the session of another user who logged in meanwhile', async () => {
    const { browser, emulator, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    const late = await walkToCallback(tab, emulator, { user: 2, loginPath: adding });
    await tab.post('/auth/salesforce/logout');
    await logIn(tab, emulator, { user: 1 });

    await tab.get(late);

    expect(await usernames(tab)).toEqual([linus.username]);
  });

  it('stay unchanged if an added login fails', async () => {
    const { browser, emulator, ada, linus } = await start({
      options: {
        onLogin: ({ user }: { user: { username?: string } }) => {
          if (user.username === 'linus@globex.example') throw new Error('no');
        },
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const failed = await logIn(tab, emulator, { user: 2, loginPath: adding });

    expect(failed.status).toBe(500);
    expect(await usernames(tab)).toEqual([ada.username]);
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(emulator.liveTokens({ username: linus.username })).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('that ends by itself leaves no other in its place; logging in again keeps the others', async () => {
    const { browser, emulator, ada, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    emulator.revokeRefreshTokens({ username: linus.username });

    const page = await tab.get('/accounts').set('Accept', 'text/html');
    const ended = await tab.get('/');

    expect(page.status).toBe(302);
    expect(page.headers['location']).toMatch(/^\/auth\/salesforce\?intent=[\w.%-]+$/);
    expect(ended.body.isAuthenticated).toBe(false);
    expect(await usernames(tab)).toEqual([ada.username]);
    expect((await tab.get('/acme')).status).toBe(200);
    await logIn(tab, emulator, { user: 2, loginPath: page.headers['location'] as string });
    expect(await usernames(tab)).toEqual([linus.username, ada.username]);
  });

  it('that ends is logged in again in two tabs that were opened at once', async () => {
    const { browser, emulator, ada, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    emulator.revokeRefreshTokens({ username: linus.username });
    await tab.get('/accounts');
    const typed = { Accept: 'text/html', 'Sec-Fetch-Site': 'none' };

    // Both requests leave before the first answer is there, so neither has the cookie of the other's.
    const refused = await Promise.all([tab.get('/accounts?tab=1').set(typed), tab.get('/accounts?tab=2').set(typed)]);
    const begun = [];
    for (const { headers } of refused) begun.push(await tab.get(headers['location'] as string).set(typed));

    expect(begun.map(({ status }) => status)).toEqual([302, 302]);
    await logIn(tab, emulator, { user: 2, loginPath: refused[0].headers['location'] as string });
    expect(await usernames(tab)).toEqual([linus.username, ada.username]);
  });

  it('that ends while a route works is the one that is forgotten, not the current one', async () => {
    const { browser, emulator, ada, linus } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    emulator.revokeRefreshTokens({ username: ada.username });

    expect((await tab.get(`/of/${ada.organizationId}`)).status).toBe(401);

    expect(await usernames(tab)).toEqual([linus.username]);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('are ten at most: the eleventh logs the oldest out', async () => {
    const { browser, emulator, ada } = await start();
    for (let number = 4; number <= 13; number++) {
      const userId = `005FAKE0000000${String(number).padStart(4, '0')}`;
      (emulator.users as EmulatorUser[]).push({ ...ada, username: `user${number}@acme.example`, userId });
    }
    const tab = browser();
    for (let user = 0; user < 11; user++) await logIn(tab, emulator, { user, loginPath: adding });

    const names = await usernames(tab);

    expect(names).toHaveLength(10);
    expect(names).not.toContain(ada.username);
    expect(emulator.liveTokens({ username: ada.username })).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('of other sessions end with one everywhere', async () => {
    const { browser, emulator } = await start();
    const [one, two] = [browser(), browser()];
    for (const tab of [one, two]) {
      await logIn(tab, emulator);
      await logIn(tab, emulator, { user: 2, loginPath: adding });
    }

    await one.post('/everywhere');

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await two.get('/accounts')).status).toBe(401);
  });
});

describe('an error about another grant than the session has', () => {
  it('is no reason to log the user out', async () => {
    const { browser, emulator, ada } = await start({
      routes: (express, salesforce) => {
        express.get(
          '/job',
          handler(async (_req, res) => {
            await salesforce.tokens.get('no such grant');
            res.end();
          }),
        );
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const job = await tab.get('/job').set('Accept', 'text/html');

    expect([job.status, job.body.code]).toEqual([401, 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED']);
    expect(await usernames(tab)).toEqual([ada.username]);
  });
});
