import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import { requireSalesforce } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type ExpressMajor } from '../helpers/app';

const page = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };

describe.each<ExpressMajor>([4, 5])('requireSalesforce() on Express %d', (major) => {
  it('sends a page request to the login and back to its page', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express: major });
    const tab = browser();

    const refused = await tab.get('/me?tab=2').set(page);
    const callback = await tab.get(await walkToCallback(tab, emulator, { loginPath: refused.headers['location'] }));

    expect(refused.status).toBe(302);
    expect(refused.headers['location']).toBe('/auth/salesforce?returnTo=%2Fme%3Ftab%3D2');
    expect(refused.headers['cache-control']).toBe('no-store');
    expect(callback.headers['location']).toBe('/me?tab=2');
  });

  it("leaves the types of a route's parameters and body to the route", async () => {
    const emulator = await startTestEmulator();
    interface Parameters {
      id: string;
    }
    const { browser } = await startApp({
      emulator,
      express: major,
      routes: (app, salesforce) => {
        app.get('/deals/:id', requireSalesforce(), (req, res) => {
          const id: string = req.params.id;
          res.json({ id });
        });
        app.post<Parameters, object, { name: string }>(
          '/deals/:id',
          salesforce.require(),
          express.json(),
          (req, res) => {
            res.json({ id: req.params.id, name: req.body.name.trim(), userId: salesforce.get(req).user.userId });
          },
        );
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/deals/7')).body).toEqual({ id: '7' });
    const { userId } = emulator.users[0]!;
    expect((await tab.post('/deals/7').send({ name: ' Large ' })).body).toEqual({ id: '7', name: 'Large', userId });
  });

  it.each([
    ['that wants JSON', 'get', { Accept: 'application/json' }],
    ['that wants anything', 'get', { Accept: '*/*' }],
    ['of a script in a page', 'get', { ...page, 'X-Requested-With': 'XMLHttpRequest' }],
    ['of fetch()', 'get', { ...page, 'Sec-Fetch-Mode': 'cors' }],
  ] as const)('answers 401 JSON to a request %s', async (_what, method, headers) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      express: major,
      routes: (app) => app.post('/me', requireSalesforce(), (_req, res) => res.end()),
    });

    const answer = await browser()[method]('/me').set(headers);

    expect(answer.status).toBe(401);
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(answer.body).toEqual({
      type: 'about:blank',
      status: 401,
      title: 'Please log in',
      detail: 'Log in with Salesforce first.',
      code: 'ERR_SALESFORCE_NOT_AUTHENTICATED',
      login: '/auth/salesforce',
    });
  });

  it('shows a page to a user whose form comes too late, and leads back to the page of the form', async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({
      emulator,
      express: major,
      routes: (app) => app.post('/me', requireSalesforce(), (_req, res) => res.end()),
    });

    const own = await browser().post('/me').set(page).set('Referer', `${url}/form?step=2`);
    const foreign = await browser().post('/me').set(page).set('Referer', 'https://evil.example/form');

    expect([own.status, own.headers['content-type']]).toEqual([401, expect.stringContaining('text/html')]);
    expect(own.text).toContain('href="/auth/salesforce?returnTo=%2Fform%3Fstep%3D2"');
    expect(foreign.text).toContain('href="/auth/salesforce"');
    expect(foreign.text).not.toContain('evil');
  });

  it('works below a path of its own', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({
      emulator,
      express: major,
      options: { property: 'sf' },
      routes: (app, own) => {
        const inner = express.Router();
        inner.get('/deep', own.require(), (req, res) => void res.json(own.get(req).user.userId));
        app.get('/open', (req, res) => void res.json(own.of(req).user?.userId ?? null));
        app.use('/inner', inner);
      },
    });
    const tab = browser();
    const refused = await tab.get('/inner/deep').set(page);
    await logIn(tab, emulator, { loginPath: refused.headers['location'] });

    expect(salesforce).toBeDefined();
    expect((await tab.get('/inner/deep')).body).toBe(emulator.users[0]!.userId);
    expect((await tab.get('/open')).body).toBe(emulator.users[0]!.userId);
    expect((await browser().get('/open')).body).toBeNull();
  });
});

describe('errorHandler()', () => {
  it('does not say of a form that it was not taken, since the route may have taken a part of it', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.post('/deals', requireSalesforce(), async (req, res) => {
          await req.salesforce.fetch('/services/data/v62.0/limits');
          res.end();
        });
        app.use(salesforce.errorHandler());
      },
    });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get('/accounts');
    emulator.revokeRefreshTokens();

    const midway = await tab.post('/deals').set(page);
    const after = await tab.post('/deals').set(page);

    expect([midway.status, after.status]).toEqual([401, 401]);
    expect(midway.text).toContain('what you sent may be taken in part');
    expect(after.text).toContain('what you sent was not taken');
  });

  it('makes a login of a grant that ends while a route works, and leaves other errors alone', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.get('/broken', () => {
          throw Object.assign(new Error('broken'), { status: 418 });
        });
        app.use(salesforce.errorHandler());
      },
    });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get('/accounts');
    emulator.revokeRefreshTokens();

    const answer = await tab.get('/accounts').set(page);
    const script = await tab.get('/accounts');

    expect(answer.headers['location']).toBe('/auth/salesforce?returnTo=%2Faccounts');
    expect([script.status, script.body.code]).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
    expect((await tab.get('/broken')).status).toBe(418);
  });

  it('makes no login of an app token that has ended and cannot be had again: no user could mend that', async () => {
    const emulator = await startTestEmulator();
    const policy = { clientCredentialsRunAs: 'ada@acme.example' };
    const { browser, client, errors } = await startApp({
      emulator,
      policy,
      routes: (app, salesforce) => {
        const job = salesforce.app({ baseUrl: emulator.myDomainUrl });
        app.get('/job', requireSalesforce(), (_req, res, next) => {
          job.fetch('/services/data/v62.0/limits').then(({ status }) => res.json(status), next);
        });
        app.use(salesforce.errorHandler());
      },
    });
    const tab = browser();
    await logIn(tab, emulator);
    expect((await tab.get('/job')).body).toBe(200);
    emulator.setPolicy(client.clientID, { clientCredentialsRunAs: undefined });
    emulator.expireAccessTokens();

    const answer = await tab.get('/job').set(page);

    expect([answer.status, answer.headers['location']]).toEqual([502, undefined]);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_RUN_AS_USER_MISSING' });
    expect((await tab.get('/me')).status).toBe(200);
  });
});

describe('a page behind a guard', () => {
  it.each<[string, Record<string, string>, string, string | undefined]>([
    ['is kept in no cache', { 'Sec-Fetch-Mode': 'navigate' }, '/me', 'no-store'],
    ['is kept in no cache, by an older browser', page, '/me', 'no-store'],
    ['is kept in no cache, if Express sends it as a file', page, '/file', 'no-store'],
    ['is kept in no cache, if it is a static file', page, '/files/report.html', 'no-store'],
    [
      'is kept as its route says, if that is how files are sent',
      page,
      '/files-for-a-day/report.html',
      'public, max-age=86400',
    ],
    ['leaves a file for scripts alone', { ...page, 'Sec-Fetch-Mode': 'cors' }, '/file', 'public, max-age=0'],
    ['is kept as its route says', { 'Sec-Fetch-Mode': 'navigate' }, '/cached', 'private, max-age=60'],
    ['is kept as a middleware before the guard says', { 'Sec-Fetch-Mode': 'navigate' }, '/before', 'private'],
    ['leaves data for scripts alone', { ...page, 'Sec-Fetch-Mode': 'cors' }, '/me', undefined],
  ])('%s', async (_what, headers, path, expected) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app) => {
        app.get('/cached', requireSalesforce(), (_req, res) => {
          res.set('Cache-Control', 'private, max-age=60').json({});
        });
        const root = join(__dirname, 'files');
        app.get('/file', requireSalesforce(), (_req, res) => {
          res.sendFile('report.html', { root });
        });
        app.use('/files', requireSalesforce(), express.static(root));
        app.use('/files-for-a-day', requireSalesforce(), express.static(root, { maxAge: '1d' }));
        app.use('/before', (_req, res, next) => {
          res.set('Cache-Control', 'private');
          next();
        });
        app.get('/before', requireSalesforce(), (_req, res) => void res.json({}));
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.get(path).set(headers);

    expect([answer.status, answer.headers['cache-control']]).toEqual([200, expected]);
  });
});

describe('requireSalesforce()', () => {
  it('says that the middleware is missing', async () => {
    const app = express();
    app.get('/', requireSalesforce());

    const answer = await request(app).get('/');

    expect(answer.status).toBe(500);
    expect(answer.text).toContain('Mount app.use(salesforceAuth(…)) before the routes it guards');
  });

  it('refuses users of other organizations and logins without the scopes', async () => {
    const emulator = await startTestEmulator();
    const organization = emulator.users[0]!.organizationId.slice(0, 15);
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.get('/org', salesforce.require({ organization }), (_req, res) => void res.json('in'));
        app.get('/scoped', salesforce.require({ scopes: 'api web' }), (_req, res) => void res.json('in'));
      },
    });
    const [one, two] = [browser(), browser()];
    await logIn(one, emulator, { user: 0 });
    await logIn(two, emulator, { user: 2 });

    expect((await one.get('/org')).body).toBe('in');
    expect((await two.get('/org')).body.code).toBe('ERR_SALESFORCE_WRONG_ORGANIZATION');
    expect((await one.get('/scoped')).body.message).toContain('was not granted web');
    expect((await one.get('/scoped')).status).toBe(403);
  });

  it('stops a browser that goes round between login and page because its session is not kept', async () => {
    const emulator = await startTestEmulator();
    const { browser, app } = await startApp({ emulator });
    // A session cookie that is never sent back, as with secure cookies on plain http.
    const tab = browser();
    const forget = (): void => {
      (tab as unknown as { jar: { setCookie: (line: string, domain: string) => void } }).jar.setCookie(
        'connect.sid=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/',
        'localhost',
      );
    };
    const statuses: number[] = [];
    for (let round = 0; round < 6; round++) {
      const refused = await tab.get('/me').set(page);
      statuses.push(refused.status);
      if (refused.status !== 302) {
        expect(refused.body.code).toBe('ERR_SALESFORCE_LOGIN_LOOP');
        break;
      }
      await logIn(tab, emulator, { loginPath: refused.headers['location'] });
      forget();
    }

    expect(app).toBeDefined();
    expect(statuses).toEqual([302, 500]);
  });

  it.each([
    ['its grant is revoked', 'openid id api refresh_token'],
    ['its token has ended and cannot be refreshed', 'id api'],
  ])('sends a browser to the login with the very next request once %s', async (_what, scope) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { scope } });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get('/accounts');
    emulator.expireAccessTokens();
    if (scope.includes('refresh_token')) emulator.revokeRefreshTokens();

    const failed = await tab.get('/accounts').set(page);
    const next = await tab.get('/accounts').set(page);
    await logIn(tab, emulator, { loginPath: next.headers['location'] });

    expect(failed.body.code).toBe('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED');
    expect(next.headers['location']).toBe('/auth/salesforce?returnTo=%2Faccounts');
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('makes no route wait for Salesforce that does not ask for a token', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const before = emulator.requests.length;
    emulator.expireAccessTokens();
    await emulator.stop();

    const home = await tab.get('/');

    expect(home.body.isAuthenticated).toBe(true);
    expect(emulator.requests).toHaveLength(before);
  });
});
