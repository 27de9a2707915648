import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { diagnose, type Diagnosis } from '../../lib';
import type { Emulator, FaultKind } from '../../lib/emulator';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import { closeAfterTest } from '../helpers/servers';

async function diagnosisOf(emulator: Emulator, given: object = {}): Promise<Diagnosis> {
  const { clientID, clientSecret } = emulator.clients[0]!;
  const options = { clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token', ...given };
  return diagnose({ ...options, callbackURL: defaultCallbackURL, httpTimeoutMs: 5_000, report: false });
}

/** What the doctor says, if every authorization request is answered like this. */
async function answered(fault: FaultKind, given: object = {}): Promise<Diagnosis> {
  const emulator = await startTestEmulator({ clientSecret: '__fake_secret__' });
  emulator.faults.inject({ on: 'authorize', ...fault, times: Infinity });
  return diagnosisOf(emulator, given);
}

function of({ findings }: Diagnosis, name: string) {
  return findings.filter(({ check }) => check === name);
}

const errorPagePath = '/setup/secur/RemoteAccessErrorPage.apexp';
const blanks = ' '.repeat(200_000);

describe('the doctor, if an authorization request is answered with', () => {
  it.each<[what: string, fault: FaultKind, seen: string]>([
    ['status 503', { kind: 'status', status: 503 }, 'answered with status 503'],
    ['status 404', { kind: 'status', status: 404, body: '<h1>Not found</h1>' }, 'answered with status 404'],
    [
      'status 503 and a login page',
      { kind: 'status', status: 503, body: '<input type="password" name="pw">' },
      'answered with status 503',
    ],
    [
      'status 500 and a script',
      { kind: 'status', status: 500, body: `<script>location.href = '/login'</script>` },
      'answered with status 500',
    ],
    ['a maintenance page', { kind: 'html' }, 'that is no login page of Salesforce'],
    [
      'a page of another product',
      { kind: 'status', status: 200, body: '<html><title>Web filter</title><h1>Stop</h1>' },
      'a page with the title "Web filter" that is no login page',
    ],
    ['nothing', { kind: 'empty' }, 'answered with nothing (status 200)'],
    ['a text', { kind: 'status', status: 200, body: 'OK' }, 'answered with a text'],
    [
      'a redirect to no address',
      { kind: 'redirect', location: 'https://' },
      'redirect (status 302) to no valid address',
    ],
    [
      'a redirect without https',
      { kind: 'redirect', location: 'http://portal.example/' },
      'portal.example without https',
    ],
    ['a redirect to itself', { kind: 'redirect', location: '?again' }, 'redirected again and again'],
    ['a redirect to a page that is no login', { kind: 'redirect', location: '/' }, 'is no login page'],
    ['a script that leads nowhere', { kind: 'status', status: 200, body: `location.href=${blanks}` }, 'a text'],
    [
      'many scripts that lead nowhere',
      { kind: 'status', status: 200, body: `<${`location.replace('\n`.repeat(9_000)}` },
      'is no login page',
    ],
  ])('%s says that nothing was seen of the client and the callback URL', async (_what, fault, seen) => {
    const diagnosis = await answered(fault);

    expect(of(diagnosis, 'client-id')).toEqual([
      expect.objectContaining({
        level: 'unknown',
        message: expect.stringContaining(seen),
        fix: expect.stringContaining('Run the doctor again'),
      }),
    ]);
    expect(of(diagnosis, 'callback-url')).toMatchObject([{ level: 'unknown', fix: expect.any(String) }]);
    expect(of(diagnosis, 'pkce')).toEqual([]);
    expect(of(diagnosis, 'client-secret')).toMatchObject([{ level: 'ok' }]);
  });

  it('status 503 does not contradict the token endpoint about an unknown client', async () => {
    const diagnosis = await answered({ kind: 'status', status: 503 }, { clientID: '3MVG9__fake__nobody__' });

    expect(diagnosis.ok).toBe(false);
    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: 'error', code: 'ERR_SALESFORCE_CLIENT_UNKNOWN' }]);
  });

  it('a login page does not contradict the token endpoint about an unknown client', async () => {
    const diagnosis = await answered(
      { kind: 'status', status: 200, body: '<form><input name="username"></form>' },
      { clientID: '3MVG9__fake__nobody__' },
    );

    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: 'error', code: 'ERR_SALESFORCE_CLIENT_UNKNOWN' }]);
    expect(of(diagnosis, 'callback-url')).toMatchObject([{ level: 'ok' }]);
  });

  it.each<[what: string, error: string, status: number, client: string, app: string]>([
    ['an outage', 'temporarily_unavailable', 503, 'unknown', 'unknown'],
    ['too many requests', 'rate_limit_exceeded', 429, 'unknown', 'unknown'],
    ['an error that no table has', 'strange_error', 400, 'unknown', 'error'],
    ['a blocked app', 'OAUTH_APP_BLOCKED', 400, 'ok', 'error'],
  ])('%s on an error page', async (_what, error, status, client, app) => {
    const diagnosis = await answered({ kind: 'error', error, errorDescription: 'a text', status, page: true });

    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: client }]);
    expect(of(diagnosis, 'callback-url')).toMatchObject([{ level: 'unknown' }]);
    expect(of(diagnosis, 'app')).toMatchObject([{ level: app, message: expect.stringContaining(error) }]);
  });

  it.each<[what: string, fault: FaultKind]>([
    ['a login page', { kind: 'status', status: 200, body: '<form><input type="password" name="pw"></form>' }],
    [
      'a login page with scripts',
      {
        kind: 'status',
        status: 200,
        body: `<input name=username><script>location.href = 'http://x.example/'</script>`,
      },
    ],
    ['a page that goes to another provider', { kind: 'status', status: 200, body: '<input name="SAMLRequest">' }],
    ['a redirect to another provider', { kind: 'redirect', location: 'https://sso.example.com/adfs' }],
    ['a redirect to a My Domain', { kind: 'redirect', location: 'https://acme.example.com/?ec=302&startURL=%2F' }],
    [
      'a script that moves the browser',
      {
        kind: 'status',
        status: 200,
        body: `<script>if (window.location.replace) { window.location.replace('https:\\/\\/sso.example.com\\/?a=1\\u0026ec=302'); }</script>`,
      },
    ],
    [
      'a script with blanks',
      { kind: 'status', status: 200, body: `<script>window.location.href = "https://sso.example.com/";</script>` },
    ],
  ])('%s, takes the client and the callback URL for known', async (_what, fault) => {
    const diagnosis = await answered(fault);

    expect(diagnosis.ok).toBe(true);
    expect([...of(diagnosis, 'client-id'), ...of(diagnosis, 'callback-url')]).toMatchObject([
      { level: 'ok' },
      { level: 'ok' },
    ]);
    expect(of(diagnosis, 'pkce')).toMatchObject([{ level: 'unknown' }]);
  });

  it('a redirect with a script, as Salesforce sends them', async () => {
    const emulator = await startTestEmulator({ redirectWith: 'javascript' });

    const diagnosis = await diagnosisOf(emulator);

    expect(diagnosis.ok).toBe(true);
    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: 'ok' }]);
  });

  it('an error page with a script of its own reads the error', async () => {
    const body = `<p>error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration</p>
      <a onclick="location.href='/'">Back</a>`;
    const diagnosis = await answered({ kind: 'status', status: 200, body });

    expect(of(diagnosis, 'callback-url')).toMatchObject([
      { level: 'error', code: 'ERR_SALESFORCE_REDIRECT_URI_MISMATCH' },
    ]);
  });

  it('a login, and then with an outage, says nothing about PKCE', async () => {
    const emulator = await startTestEmulator({ clientSecret: '__fake_secret__' });
    emulator.faults.inject({
      on: 'authorize',
      kind: 'status',
      status: 503,
      match: ({ query }) => !('code_challenge' in query),
    });

    const diagnosis = await diagnosisOf(emulator);

    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: 'ok' }]);
    expect(of(diagnosis, 'pkce')).toMatchObject([
      { level: 'unknown', message: expect.stringContaining('could not be seen: localhost') },
    ]);
  });

  it.each<[where: string, location: string, check: string, code: string]>([
    [
      'a redirect URI that is not registered',
      `${errorPagePath}?error=redirect_uri_mismatch&error_description=redirect_uri+must+match+configuration`,
      'callback-url',
      'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    ],
    [
      'a redirect URI that is not registered, at the host of a site',
      'https://acme.my.site.com/setup/secur/RemoteAccessErrorPage.apexp?error=redirect_uri_mismatch',
      'callback-url',
      'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    ],
    [
      'a client that is not known',
      `${errorPagePath}?error=invalid_client_id&error_description=client%20identifier%20invalid`,
      'client-id',
      'ERR_SALESFORCE_CLIENT_UNKNOWN',
    ],
  ])("Salesforce's error page, whose address alone names the error: %s", async (_what, location, check, code) => {
    const diagnosis = await diagnosisAt(location);

    expect(diagnosis.ok).toBe(false);
    expect(of(diagnosis, check)).toMatchObject([{ level: 'error', code }]);
  });

  it("Salesforce's error page without an error in its address takes nothing for known", async () => {
    const diagnosis = await diagnosisAt(errorPagePath);

    expect(of(diagnosis, 'client-id')).toMatchObject([{ level: 'unknown' }]);
    expect(of(diagnosis, 'callback-url')).toMatchObject([{ level: 'unknown' }]);
  });
});

/** A diagnosis at a server that redirects authorization requests to an error page, and whose page has a text of its own. */
async function diagnosisAt(location: string): Promise<Diagnosis> {
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url!, url);
    if (pathname.endsWith('/authorize')) res.writeHead(302, { location }).end();
    else if (pathname === errorPagePath) res.end('<html>OAUTH_APPROVAL_ERROR_GENERIC : An unexpected error</html>');
    else if (pathname.endsWith('/token')) {
      const refusal = { error: 'invalid_grant', error_description: 'authentication failure' };
      res.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(refusal));
    } else {
      const oauth = `${url}/services/oauth2`;
      res.end(
        JSON.stringify({
          issuer: url,
          authorization_endpoint: `${oauth}/authorize`,
          token_endpoint: `${oauth}/token`,
        }),
      );
    }
  });
  closeAfterTest(server);
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  return diagnose({
    ...{ clientID: '3MVG9__fake__', clientSecret: '__fake_secret__', baseUrl: url, callbackURL: defaultCallbackURL },
    ...{ scope: 'id api refresh_token', report: false },
  });
}
