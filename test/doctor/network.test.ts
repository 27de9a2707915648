import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { generate } from 'selfsigned';
import { Agent, fetch as send } from 'undici';
import { diagnose, type FetchFunction, type Finding } from '../../lib';
import { makeKey } from '../client-authentication/keys';
import { logIn, startApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { closeAfterTest } from '../helpers/servers';
import { freePort } from '../stores/servers/programs';

/** Starts a server that is not Salesforce. */
async function listen(server: Server): Promise<number> {
  closeAfterTest(server);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** What the doctor says of a base URL, as far as it finds something wrong with it. */
async function wrongWith(baseUrl: string, given: object = {}): Promise<Finding[]> {
  const { findings } = await diagnose({
    clientID: '3MVG9__fake__',
    clientSecret: '__fake_secret__',
    callbackURL: 'http://localhost:3000/auth/salesforce/callback',
    scope: 'id refresh_token',
    allowedHosts: [new URL(baseUrl).host],
    httpTimeoutMs: 2_000,
    baseUrl,
    ...given,
  });
  expect(JSON.stringify(findings)).not.toContain('__fake_secret__');
  return findings.filter((finding) => finding.baseUrl !== undefined && finding.level !== 'ok');
}

describe('the doctor, if baseUrl', () => {
  it('is a port at which no server listens', async () => {
    expect(await wrongWith(`http://localhost:${await freePort()}`)).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        code: 'ERR_SALESFORCE_UNREACHABLE',
        message: expect.stringMatching(/^localhost:\d+ cannot be reached \(ECONNREFUSED\)\.$/),
        fix: expect.stringContaining('firewalls'),
      }),
    ]);
  });

  it('is a name that does not exist', async () => {
    // Reserved never to exist (RFC 2606).
    expect(await wrongWith('https://acme.invalid')).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        message: expect.stringMatching(/^There is no host acme\.invalid \((?:ENOTFOUND|EAI_AGAIN)\)\.$/),
        fix: expect.stringContaining('.my.salesforce.com'),
      }),
    ]);
  });

  it('has a self-signed certificate', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }]);
    const port = await listen(createSecureServer({ key, cert }));

    expect(await wrongWith(`https://localhost:${port}`)).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        message: expect.stringMatching(/^The certificate of localhost:\d+ is not trusted \(\w+\)\.$/),
        fix: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
      }),
    ]);
  });

  it('has a certificate that has ended, as for a clock that is years ahead', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      notBeforeDate: new Date('2020-01-01'),
      notAfterDate: new Date('2020-02-01'),
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
    });
    const port = await listen(createSecureServer({ key, cert }));
    const dispatcher = new Agent({ connect: { ca: cert } });
    const fetchWithCa: FetchFunction = async (url, init) => {
      const answer: unknown = await send(url, { ...init, dispatcher } as never);
      return answer as Response;
    };

    expect(await wrongWith(`https://localhost:${port}`, { fetch: fetchWithCa })).toEqual([
      expect.objectContaining({
        message: `The certificate of localhost:${port} is not trusted (CERT_HAS_EXPIRED).`,
        fix: expect.stringMatching(/^Check the clock of this machine first.*NODE_EXTRA_CA_CERTS/),
      }),
    ]);
    await dispatcher.close();
  });

  it('accepts requests and never answers', async () => {
    const port = await listen(createServer(() => undefined));

    expect(await wrongWith(`http://localhost:${port}`, { httpTimeoutMs: 100 })).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        code: 'ERR_SALESFORCE_TIMEOUT',
        fix: expect.stringContaining('status.salesforce.com'),
      }),
    ]);
  });

  it('breaks the connection', async () => {
    const port = await listen(createServer((req) => req.socket.destroy()));

    expect(await wrongWith(`http://localhost:${port}`)).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        code: 'ERR_SALESFORCE_CONNECTION_LOST',
        message: expect.stringContaining('broke before its answer was complete'),
      }),
    ]);
  });

  it('is an https address of a port that speaks http', async () => {
    const port = await listen(createServer((_req, res) => res.end('hello')));

    expect(await wrongWith(`https://localhost:${port}`)).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        message: expect.stringMatching(
          /^localhost:\d+ answers, but not with a TLS that Node\.js understands \(\w+\)\.$/,
        ),
        fix: expect.stringContaining('the scheme and the port of baseUrl'),
      }),
    ]);
  });

  const answers: [string, RequestListener, string, string][] = [
    [
      'is a web site',
      (_req, res) => res.setHeader('content-type', 'text/html').end('<h1>It works!</h1>'),
      'has no OpenID configuration (status 200)',
      'https://login.salesforce.com',
    ],
    [
      'has no such path',
      (_req, res) => res.writeHead(404).end(),
      'has no OpenID configuration (status 404)',
      'https://login.salesforce.com',
    ],
    [
      'redirects to another host',
      (_req, res) => res.writeHead(302, { location: 'https://acme.my.salesforce.com/' }).end(),
      'redirects to acme.my.salesforce.com.',
      'https://acme.my.salesforce.com',
    ],
    [
      'redirects to a path of its own',
      (_req, res) => res.writeHead(302, { location: '/login' }).end(),
      'redirects to its own path /login, so it has no OpenID configuration.',
      'https://login.salesforce.com',
    ],
    [
      'redirects to a path beside the document',
      (_req, res) => res.writeHead(301, { location: 'start' }).end(),
      'redirects to its own path /.well-known/start,',
      'https://login.salesforce.com',
    ],
    [
      'redirects and names no address',
      (_req, res) => res.writeHead(302).end(),
      'answers with a redirect to no valid address (status 302).',
      'https://login.salesforce.com',
    ],
    [
      'redirects to an address that has no host',
      (_req, res) => res.writeHead(302, { location: 'about:blank' }).end(),
      'answers with a redirect to no valid address (status 302).',
      'https://login.salesforce.com',
    ],
    [
      'answers with a very long page',
      (_req, res) => res.end('x'.repeat(300 * 1024)),
      'answers. The reply is larger than 262144 bytes',
      'https://login.salesforce.com',
    ],
    [
      'is the door to another host',
      (_req, res) => res.end(JSON.stringify({ issuer: 'https://acme.my.salesforce.com' })),
      'issuer, authorization_endpoint, token_endpoint differ (issuer https://acme.my.salesforce.com)',
      'the host of the issuer',
    ],
  ];

  it.each(answers)('%s', async (_what, listener, message, fix) => {
    const port = await listen(createServer(listener));

    expect(await wrongWith(`http://localhost:${port}`)).toEqual([
      expect.objectContaining({
        check: 'discovery',
        level: 'error',
        message: expect.stringContaining(message),
        fix: expect.stringContaining(fix),
      }),
    ]);
  });

  it.each([503, 500, 429])('is Salesforce, which answers with status %d', async (status) => {
    const port = await listen(createServer((_req, res) => res.writeHead(status).end('<h1>Maintenance</h1>')));

    expect(await wrongWith(`http://localhost:${port}`)).toEqual([
      expect.objectContaining({
        check: 'base-url',
        level: 'error',
        code: 'ERR_SALESFORCE_UPSTREAM',
        message: `localhost:${port} answers with status ${status}.`,
        fix: expect.stringMatching(/^Run the doctor again later.*status\.salesforce\.com/),
      }),
    ]);
  });

  const withIdToken = { scope: 'openid refresh_token' };
  const withKey = { clientSecret: undefined, clientKey: { key: makeKey().key } };

  it.each<[what: string, seconds: number, given: object, level: string, direction: string]>([
    ['an hour behind', -3_600, withKey, 'error', 'behind'],
    ['an hour behind, and a secret needs no clock', -3_600, withIdToken, 'warning', 'behind'],
    ['two minutes ahead', 120, withIdToken, 'error', 'ahead of'],
    ['two minutes ahead, and there is no ID token', 120, {}, 'warning', 'ahead of'],
    ['two minutes ahead, and the app may send an ID token', 120, { scope: undefined }, 'error', 'ahead of'],
    ['a minute ahead', 60, withIdToken, 'warning', 'ahead of'],
    ['ten seconds ahead', 10, withIdToken, 'warning', 'ahead of'],
  ])('answers, and the clock of this machine is %s', async (_what, seconds, given, level, direction) => {
    const emulator = await startTestEmulator();
    const { clientID, clientSecret } = emulator.clients[0]!;
    const clock = new ManualClock(Date.now() + seconds * 1000);

    const findings = await wrongWith(emulator.url, { clientID, clientSecret, clock, ...given });

    expect(findings.find(({ check }) => check === 'clock')).toMatchObject({
      level,
      message: expect.stringContaining(`seconds ${direction} Salesforce's`),
      fix: expect.stringContaining('NTP'),
    });
    expect(emulator.presentations.size).toBe(0);
  });
});

it('the doctor compares the clock with the time of an answer that a cache has kept for a while', async () => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.clients[0]!;
  const cached: FetchFunction = async (url, init) => {
    const reply = await fetch(url, init);
    const date = new Date(Date.now() - 600_000).toUTCString();
    return new Response(reply.body, { status: reply.status, headers: { date, age: '600' } });
  };

  const findings = await wrongWith(emulator.url, { clientID, clientSecret, fetch: cached, scope: 'openid api' });

  expect(findings.filter(({ check }) => check === 'clock')).toEqual([]);
});

it('the doctor does not wait for ever for a configuration function', async () => {
  const clock = new ManualClock();
  const asked: true[] = [];
  const configuration = () => {
    asked.push(true);
    return new Promise<never>(() => undefined);
  };
  const running = diagnose({ configuration, clock, report: false });
  // The limit of the store comes first, and is taken back when the store answers.
  while (asked.length === 0 || clock.nextInMs !== 10_000) await new Promise((resolve) => setImmediate(resolve));
  clock.advanceMs(10_000);

  expect((await running).findings).toContainEqual(
    expect.objectContaining({
      check: 'configuration',
      level: 'error',
      code: 'ERR_SALESFORCE_CONFIGURATION',
      message: 'The configuration function did not answer within 10 seconds.',
    }),
  );
});

describe('the doctor, of the source of the profile', () => {
  it.each<[scope: string, profileSource: string | undefined, client: 'secret' | 'public', missing: string | undefined]>(
    [
      ['api refresh_token', 'id_token', 'secret', undefined],
      ['profile refresh_token', 'identity', 'secret', undefined],
      ['email refresh_token', undefined, 'secret', undefined],
      ['api web refresh_token', 'userinfo', 'secret', undefined],
      ['refresh_token', 'id', 'secret', undefined],
      ['refresh_token', undefined, 'secret', 'id'],
      ['id refresh_token', 'userinfo', 'secret', 'openid'],
      ['id refresh_token', 'id_token', 'public', 'openid'],
      ['openid refresh_token', 'id', 'public', undefined],
      ['api refresh_token', 'id_token', 'public', undefined],
    ],
  )('with the scopes "%s", %s and a client with %s', async (scope, profileSource, client, missing) => {
    const scopes = await scopeFindings({ scope, login: { profileSource } }, client);

    if (missing === undefined) expect(scopes).toEqual([expect.objectContaining({ level: 'ok' })]);
    else expect(scopes).toMatchObject([{ level: 'warning', message: expect.stringContaining(`lack '${missing}'`) }]);
  });

  it('does not advise a client without a secret to take what proves nothing', async () => {
    const [withSecret] = await scopeFindings({ scope: 'refresh_token' }, 'secret');
    const [without] = await scopeFindings({ scope: 'refresh_token' }, 'public');

    expect(withSecret!.fix).toContain("or set login.profileSource to 'id'");
    expect(without!.fix).not.toContain("'id'.");
  });

  it('finds that nothing would show who a user is', async () => {
    const given = { scope: 'api refresh_token', login: { profileSource: 'id' } };
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator, clientSecret: false, options: given });

    await logIn(browser(), emulator);
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SALESFORCE_IDENTITY_UNPROVEN' })]);
    expect(await scopeFindings(given, 'public')).toEqual([
      expect.objectContaining({
        level: 'error',
        code: 'ERR_SALESFORCE_IDENTITY_UNPROVEN',
        fix: expect.stringContaining("Add 'openid'"),
      }),
    ]);
  });

  async function scopeFindings(given: object, client: 'secret' | 'public'): Promise<Finding[]> {
    const emulator = await startTestEmulator({ clientSecret: client === 'public' ? false : undefined });
    const { clientID, clientSecret, callbackURLs } = emulator.clients[0]!;
    const options = { clientID, clientSecret: clientSecret || undefined, callbackURL: callbackURLs[0] };
    const { findings } = await diagnose({ ...options, baseUrl: emulator.url, ...given });
    return findings.filter(({ check }) => check === 'scope');
  }
});

describe('the doctor, of scopes', () => {
  it.each([
    ['id api', 'The scopes lack refresh_token'],
    ['api refresh_token', undefined],
    ['refresh_token', "the scopes lack 'id'"],
    ['', 'The scope option is empty'],
  ])('%j', async (scope, message) => {
    const emulator = await startTestEmulator();
    const { clientID, clientSecret } = emulator.clients[0]!;
    const { findings } = await diagnose({
      clientID,
      clientSecret: clientSecret || undefined,
      callbackURL: emulator.clients[0]!.callbackURLs[0],
      baseUrl: emulator.url,
      ...(scope === '' ? {} : { scope }),
    });

    const found = findings.find(({ check }) => check === 'scope');
    if (message === undefined) expect(found).toMatchObject({ level: 'ok' });
    else expect(found).toMatchObject({ message: expect.stringContaining(message), fix: expect.any(String) });
    expect(emulator.presentations.size).toBe(0);
  });
});
