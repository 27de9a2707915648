import { inspect } from 'node:util';
import express from 'express';
import { salesforceAuth } from '../../lib';
import type { ClientPolicy, Emulator } from '../../lib/emulator';
import type { CredentialsLoginOptions } from '../../lib/middleware/credentials-login';
import { startTestEmulator } from '../helpers/emulator';
import { startApp, type TestApp, type TestAppOptions } from '../helpers/app';

const enabled: Partial<ClientPolicy> = { authorizationCodeAndCredentials: true, rotateRefreshTokens: true };

async function start(
  given: Partial<TestAppOptions> = {},
  handlerOptions: CredentialsLoginOptions = {},
): Promise<TestApp & { emulator: Emulator }> {
  const emulator = await startTestEmulator();
  const app = await startApp({
    emulator,
    policy: { ...enabled, ...given.policy },
    ...(given.clientSecret === undefined ? {} : { clientSecret: given.clientSecret }),
    express: given.express ?? 5,
    options: { baseUrl: emulator.siteUrl, ...given.options },
    routes: (routes, salesforce) => {
      const handler = salesforce.credentialsLogin(handlerOptions);
      routes.post('/login', express.urlencoded({ extended: false }) as never, express.json() as never, handler);
      routes.post('/unparsed', handler);
      routes.get('/login', handler);
    },
  });
  return { ...app, emulator };
}

const right = { username: 'ada@acme.example', password: '__fake_password_1__' };

describe.each([4, 5] as const)('a login with username and password on Express %d', (major) => {
  it('ends in a session, a grant and refreshes as any other', async () => {
    const { browser, emulator } = await start({ express: major });
    const tab = browser();

    const answer = await tab
      .post('/login')
      .type('form')
      .set('Accept', 'text/html')
      .send({ ...right, returnTo: '/me' });

    expect([answer.status, answer.headers['location']]).toEqual([303, '/me']);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect((await tab.get('/me')).body.user.username).toBe(right.username);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
    await tab.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});

describe('a login with username and password', () => {
  it('sends them by PKCE to the site alone, and the secret of the client elsewhere than the user', async () => {
    const { browser, emulator, client } = await start({ policy: { requirePkce: true } });
    const answer = await browser().post('/login').send(right);

    expect(answer.body).toEqual({ returnTo: '/' });
    const { pathname } = new URL(emulator.siteUrl);
    const [authorize, token] = emulator.requests.filter(({ method }) => method === 'POST');
    expect([authorize!.path, token!.path]).toEqual([
      `${pathname}/services/oauth2/authorize`,
      `${pathname}/services/oauth2/token`,
    ]);
    expect(authorize!.headers['auth-request-type']).toBe('Named-User');
    expect(authorize!.headers['authorization']).toBeUndefined();
    expect(authorize!.body).toMatchObject({
      ...{ response_type: 'code_credentials', code_challenge_method: 'S256' },
      ...right,
    });
    expect(JSON.stringify(authorize)).not.toContain(client.clientSecret);
    expect(token!.headers['authorization']).toBeUndefined();
    expect(token!.body).toMatchObject({ grant_type: 'authorization_code', client_secret: client.clientSecret });
    expect(JSON.stringify(token)).not.toContain(right.password);
  });

  it.each([
    ['that is right', right.password, {}, undefined],
    ['that is wrong', '__fake_wrong__', {}, 'ERR_SALESFORCE_CREDENTIALS_REJECTED'],
    ['from another site', right.password, { Origin: 'https://evil.example' }, 'ERR_SALESFORCE_CROSS_SITE'],
  ])('leaves a password %s nowhere in the request', async (_what, password, headers, code) => {
    const bodies: unknown[] = [];
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      policy: enabled,
      options: { baseUrl: emulator.siteUrl },
      routes: (routes, salesforce) => {
        routes.use('/login', express.json() as never, (req, res, next) => {
          res.once('finish', () => bodies.push(req.body));
          next();
        });
        routes.post('/login', salesforce.credentialsLogin());
      },
    });

    const answer = await browser()
      .post('/login')
      .unset('Sec-Fetch-Site')
      .set(headers)
      .send({ ...right, password, returnTo: '/me' });

    expect(answer.body.code).toBe(code);
    expect(bodies).toEqual([{ username: right.username, returnTo: '/me' }]);
  });

  it.each<[string, (body: object) => object, number, object]>([
    ['frozen', (body) => Object.freeze(body), 200, { username: right.username }],
    ['a list', (body) => [body], 400, {}],
  ])('leaves no password in a body that is %s', async (_what, change, status, left) => {
    const bodies: unknown[] = [];
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      policy: enabled,
      options: { baseUrl: emulator.siteUrl },
      routes: (routes, salesforce) => {
        routes.use('/login', express.json() as never, (req, res, next) => {
          req.body = change(req.body as object);
          res.once('finish', () => bodies.push(req.body));
          next();
        });
        routes.post('/login', salesforce.credentialsLogin());
      },
    });

    const answer = await browser().post('/login').send(right);

    expect(answer.status).toBe(status);
    expect(bodies).toEqual([left]);
  });

  it('works for a public client', async () => {
    const { browser } = await start({ clientSecret: false });
    const tab = browser();

    await tab.post('/login').send(right);

    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('shares the grant of a login through the pages, and gives the browser a new session', async () => {
    const { browser } = await start();
    const [one, two] = [browser(), browser()];
    await one.post('/login').send(right);
    const before = (await one.get('/headers')).body.headers.cookie as string;

    await one.post('/login').send(right);
    await two.post('/login').send(right);

    const grants = [(await one.get('/me')).body.grantId, (await two.get('/me')).body.grantId];
    expect(grants[0]).toBe(grants[1]);
    expect((await one.get('/headers')).body.headers.cookie).not.toBe(before);
  });

  it.each([
    ['a wrong password', { ...right, password: '__fake_wrong__' }],
    ['an unknown user', { ...right, username: 'nobody@acme.example' }],
    ['a user of another organization', { username: 'linus@globex.example', password: '__fake_password_3__' }],
  ])('refuses %s with the same words, and keeps the session', async (_what, wrong) => {
    const { browser, errors } = await start();
    const tab = browser();
    await tab.post('/login').send(right);

    const answer = await tab.post('/login').send(wrong);

    expect([answer.status, answer.body.code]).toEqual([401, 'ERR_SALESFORCE_CREDENTIALS_REJECTED']);
    expect((await tab.get('/me')).body.user.username).toBe(right.username);
    const told = inspect(errors, { depth: 9, showHidden: true }) + JSON.stringify(answer.body);
    expect(told).not.toContain(wrong.password);
    expect(told).not.toContain(Buffer.from(`${wrong.username}:${wrong.password}`).toString('base64'));
  });

  it.each([
    ['without a body', '/unparsed', undefined],
    ['without a password', '/login', { username: right.username }],
    ['with lists for texts', '/login', { username: [right.username], password: [right.password] }],
    ['with a password in the query', '/login?password=__fake_in_the_url__', { username: right.username }],
  ])('is refused %s before Salesforce is asked', async (_what, path, body) => {
    const { browser, emulator } = await start();

    const answer = await browser().post(path).send(body);

    expect([answer.status, answer.body.code]).toEqual([400, 'ERR_SALESFORCE_CREDENTIALS_MISSING']);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['another site', 'post', { 'Sec-Fetch-Site': 'cross-site' }],
    ['another subdomain', 'post', { 'Sec-Fetch-Site': 'same-site' }],
    ['a foreign origin', 'post', { Origin: 'https://evil.example' }],
    ['a link', 'get', {}],
  ] as const)('is refused from %s', async (_what, method, headers) => {
    const { browser, emulator } = await start();

    const answer = await browser()[method]('/login').unset('Sec-Fetch-Site').set(headers).send(right);

    expect([answer.status, answer.body.code]).toEqual([403, 'ERR_SALESFORCE_CROSS_SITE']);
    expect(emulator.requests).toEqual([]);
  });

  it.each([
    ['the box', true, 'body'],
    ['the box', true, undefined],
    ['no box', false, 'body'],
    ['no box', false, 'header'],
  ] as const)(
    'works with %s "Require user credentials in the POST body" (%s), and credentials in the place %s',
    async (_what, isCodeCredentialPostOnly, credentialsIn) => {
      const { browser, emulator } = await start({ policy: { isCodeCredentialPostOnly } }, { credentialsIn });
      const tab = browser();

      expect((await tab.post('/login').send(right)).status).toBe(200);

      expect((await tab.get('/accounts')).status).toBe(200);
      const [authorize] = emulator.requests.filter(({ path }) => path.endsWith('/authorize'));
      const isInHeader = credentialsIn === 'header';
      expect(authorize!.headers['authorization'] !== undefined).toBe(isInHeader);
      expect('password' in (authorize!.body as object)).toBe(!isInHeader);
    },
  );

  it('names the box if the app takes no credentials in the header', async () => {
    const { browser, emulator, errors } = await start(
      { policy: { isCodeCredentialPostOnly: true } },
      { credentialsIn: 'header' },
    );

    const answer = await browser().post('/login').send(right);

    expect([answer.status, answer.body.code]).toEqual([502, 'ERR_SALESFORCE_FLOW_DISABLED']);
    expect(answer.body.message ?? String(errors)).toContain('Require user credentials in the POST body');
    expect(answer.body.message ?? String(errors)).toContain('credentialsIn');
    // The password was sent once: another place would be another guess.
    expect(emulator.requests.filter(({ path }) => path.endsWith('/authorize'))).toHaveLength(1);
  });

  it('names the box if Salesforce refuses the request with an unknown text', async () => {
    const { browser, emulator } = await start();
    const body = { error: 'invalid_request', error_description: 'credentials not accepted here' };
    emulator.faults.inject({ on: 'authorize', kind: 'status', status: 400, body });

    const answer = await browser().post('/login').send(right);

    expect([answer.status, answer.body.code]).toEqual([502, 'ERR_SALESFORCE_OAUTH']);
    expect(answer.body.message).toContain('Require user credentials in the POST body');
  });

  it.each([
    [
      'a callback URL that is not registered',
      { callbackURL: 'https://app.example.com/other' },
      'REDIRECT_URI_MISMATCH',
    ],
    ['an unknown client', { clientID: '3MVG9unknown' }, 'CLIENT_UNKNOWN'],
  ])('blames no password for %s, which Salesforce tells on a page', async (_what, options, code) => {
    const { browser } = await start({ options });

    const answer = await browser().post('/login').send(right);

    expect([answer.status, answer.body.code]).toEqual([502, `ERR_SALESFORCE_${code}`]);
  });

  it('takes a colon in the username in the body alone, since it would end the username in a header', async () => {
    const odd = { ...right, username: 'ada:evil' };
    const inBody = await start();
    const inHeader = await start({}, { credentialsIn: 'header' });

    const answers = [
      await inBody.browser().post('/login').send(odd),
      await inHeader.browser().post('/login').send(odd),
    ];

    expect(answers.map((answer) => (answer.body as { code: string }).code)).toEqual([
      'ERR_SALESFORCE_CREDENTIALS_REJECTED',
      'ERR_SALESFORCE_CREDENTIALS_MISSING',
    ]);
    expect(inHeader.emulator.requests).toEqual([]);
  });

  it('refuses a place that does not exist when the handler is made', async () => {
    await expect(start({}, { credentialsIn: 'query' as never })).rejects.toThrow(/credentialsIn must be .*'body'/);
  });

  it('names the box if the flow is not enabled in the app', async () => {
    const { browser } = await start({ policy: { authorizationCodeAndCredentials: false } });

    const answer = await browser().post('/login').send(right);

    expect([answer.status, answer.body.code]).toEqual([502, 'ERR_SALESFORCE_FLOW_DISABLED']);
  });

  it('refuses a base URL that is no site, since only sites have this flow', async () => {
    const { browser } = await start({ options: { baseUrl: 'https://login.salesforce.com' } });

    const answer = await browser().post('/login').send(right);

    expect(answer.body.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
    expect(answer.body.message).toContain('Experience Cloud site');
  });

  it('takes a Salesforce that is down for no refusal', async () => {
    const { browser, emulator } = await start();
    emulator.faults.inject({ on: 'authorize', kind: 'status', status: 503 });

    const answer = await browser().post('/login').send(right);

    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
      503,
      'ERR_SALESFORCE_UPSTREAM',
      '5',
    ]);
  });

  it("takes the code from Salesforce's echo endpoint as well", async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      policy: enabled,
      create: ({ clientID, clientSecret, callbackURLs }) => {
        const callbackURL = `${emulator.siteUrl}/services/oauth2/echo`;
        callbackURLs.push(callbackURL);
        return salesforceAuth({ clientID, clientSecret, callbackURL, baseUrl: emulator.siteUrl });
      },
      routes: (routes, salesforce) => {
        routes.post('/login', express.json() as never, salesforce.credentialsLogin({ returnTo: '/me' }));
      },
    });
    const tab = browser();

    expect((await tab.post('/login').send(right)).body).toEqual({ returnTo: '/me' });
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('gives no code to a page that is not the callback', async () => {
    const { browser, emulator } = await start();
    emulator.faults.inject({ on: 'authorize', kind: 'redirect', location: 'https://evil.example/?code=stolen' });

    const answer = await browser().post('/login').send(right);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CREDENTIALS_REJECTED');
  });

  it('revokes the new tokens if the user may not log in', async () => {
    const { browser, emulator } = await start({ options: { authorizeUser: () => false } });

    const answer = await browser().post('/login').send(right);

    expect(answer.body.code).toBe('ERR_SALESFORCE_USER_NOT_ALLOWED');
    for (let turn = 0; emulator.liveTokens().refreshTokens > 0 && turn < 10_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
