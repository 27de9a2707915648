/* What options come to after the check: the bounds of each kind of value, and the defaults. */
import { configurationFromEnv, isSalesforceAuthError, requireSalesforce, salesforceAuth } from '../../lib';
import { parseConfiguration, type ClientOptions } from '../../lib/options/configuration';
import { mayGetRefreshToken, parseRefresh } from '../../lib/options/refresh';
import { checkedTenant } from '../../lib/options/source';
import { RedisTokenStore } from '../../lib/stores/redis';

const clientID = '__test_client_id__';
const day = 86_400;
const sign = (): Uint8Array => Buffer.from('x');

function configurationOf(options: object) {
  return parseConfiguration({ clientID, ...options });
}

/** What a check of options throws. */
function refusalOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    if (isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_OPTION_INVALID') return error.message;
    throw error;
  }
  throw new Error('The options were accepted.');
}

function refusalOfAll(options: object): string {
  return refusalOf(() => void salesforceAuth({ clientID, report: false, ...options }).close());
}

describe('a client', () => {
  it('of which only the key is known', () => {
    expect(configurationOf({})).toMatchObject({
      clientAuthentication: 'none',
      scope: [],
      prompt: 'login',
      baseUrl: 'https://login.salesforce.com',
      organizations: {},
      authorizationParams: {},
      apiOrigins: [],
      profileSource: 'identity',
      sessionTimeoutSeconds: 7_200,
      httpTimeoutMs: 30_000,
    });
    expect([...configurationOf({}).trustedHosts.hosts]).toEqual(['login.salesforce.com']);
  });

  it.each<[options: Partial<ClientOptions>, expected: object]>([
    [{ clientSecret: 'x' }, { clientAuthentication: 'client_secret_post' }],
    [
      { clientSecret: 'x', clientAuthentication: 'client_secret_basic' },
      { clientAuthentication: 'client_secret_basic' },
    ],
    [{ clientAuthentication: 'client_secret_basic' }, { clientAuthentication: 'none' }],
    [{ clientSecret: `a'b"c` }, { clientSecret: `a'b"c` }],
    [{ clientKey: { sign } }, { clientAuthentication: 'private_key_jwt', clientKeys: [expect.anything()] }],
    [{ scope: ' openid  api ' }, { scope: ['openid', 'api'], profileSource: 'id_token' }],
    [{ scope: ['openid', ''] }, { scope: ['openid'] }],
    [{ scope: 'openid', login: { profileSource: 'id' } }, { profileSource: 'id' }],
    [{ login: { profileSource: 'userinfo' } }, { profileSource: 'userinfo' }],
    [{ prompt: false }, { prompt: false }],
    [{ login: { authorizationParams: { sso_provider: 'x' } } }, { authorizationParams: { sso_provider: 'x' } }],
    [{ callbackURL: '/auth/callback' }, { callbackURL: '/auth/callback' }],
    [{ callbackURL: '/' }, { callbackURL: '/' }],
    [{ callbackURL: 'http://localhost:3000/cb' }, { callbackURL: 'http://localhost:3000/cb' }],
    [{ sessionTimeoutSeconds: 60 }, { sessionTimeoutSeconds: 60 }],
    [{ sessionTimeoutSeconds: 31_536_000 }, { sessionTimeoutSeconds: 31_536_000 }],
  ])('%j', (options, expected) => {
    expect(configurationOf(options)).toMatchObject(expected);
  });

  it('trusts the hosts of allowedHosts, in lower case', () => {
    const { hosts, suffixes } = configurationOf({
      allowedHosts: ['SUPPORT.example.com', 'a.example:8080', '.b.example'],
    }).trustedHosts;

    expect([...hosts]).toEqual(['login.salesforce.com', 'support.example.com', 'a.example:8080']);
    expect(suffixes).toContain('.b.example');
  });

  it('knows a host of allowedHosts without the port that its URL leaves out', () => {
    const allowedHosts = ['support.example.com:443', 'sso_1.example.com'];

    expect(configurationOf({ allowedHosts, baseUrl: 'https://support.example.com' }).baseUrl).toBe(
      'https://support.example.com',
    );
    expect(configurationOf({ allowedHosts, baseUrl: 'https://sso_1.example.com' }).trustedHosts.hosts).toContain(
      'support.example.com',
    );
  });

  it.each<[hosts: string[], origins: string[]]>([
    [['api.salesforce.com'], ['https://api.salesforce.com']],
    [['API.salesforce.com:443'], ['https://api.salesforce.com']],
    [
      ['api.gov.salesforce.com', 'api.salesforce.com'],
      ['https://api.gov.salesforce.com', 'https://api.salesforce.com'],
    ],
    [['LOCALHOST:4401'], ['https://localhost:4401', 'http://localhost:4401']],
    [['[::1]:4401'], ['https://[::1]:4401', 'http://[::1]:4401']],
  ])('may call the API hosts %j', (apiHosts, origins) => {
    expect(configurationOf({ apiHosts }).apiOrigins).toEqual(origins);
  });
});

describe('a client is refused with', () => {
  it.each<[options: object, sentence: string]>([
    [{ clientID: '  ' }, 'clientID must be the Consumer Key of your Salesforce app'],
    ...['api.salesforce.com', [7], [['api.salesforce.com']], ['api.salesforce.com', 'evil.example']].map(apiHosts),
    ...['https://api.salesforce.com', 'api.salesforce.com/x', 'me@api.salesforce.com', 'api.salesforce.com:x'].map(
      (host) => apiHosts([host]),
    ),
    ...['api.salesforce.com:8443', 'login.salesforce.com', 'acme.my.salesforce.com', 'api.my.salesforce.com'].map(
      (host) => apiHosts([host]),
    ),
    ...['acme.salesforce.com', 'api.example.com', 'api.salesforce.com.evil.example'].map((host) => apiHosts([host])),
    ...[['openid', 7], [['openid']], ['a b'], ['"api'], ['api"'], ['é'], 'api\té'].map((scope): [object, string] => [
      { scope },
      "scope must be an array of scopes, or a string of scopes separated by spaces, for instance 'openid api'.",
    ]),
    ...[
      '//evil.example',
      '/\\evil.example',
      'x/callback',
      'ftp://localhost/cb',
      'https://app.example.com/#x',
      '/cb#x',
      'https://app.example.com/cb\n',
      ' https://app.example.com/cb',
      'https:app.example.com/cb',
      'https:/app.example.com/cb',
      'https://app.example.com\\cb',
      '/cb ',
      '/c b',
      '/für/cb',
      '/a/../cb',
    ].map(callbackURL),
    ...[['/callback'], ['https://app.example.com/cb'], 7].map(callbackURL),
    ...['a.example', [7], [['a.example']], ['a.example', 7], ['https://a.example'], ['a.example/x']].map(allowedHosts),
    ...[['a.example:x'], ['a.example:'], ['a.example:80:80']].map(allowedHosts),
    ...[['.a.example:8443'], ['.'], ['a..example'], ['a.example.'], ['']].map(allowedHosts),
    ...[{ a: 7 }, { a: 'x', b: 7 }].map((authorizationParams): [object, string] => [
      { login: { authorizationParams } },
      'login.authorizationParams must be an object of strings.',
    ]),
    ...[59, 31_536_001, 60.5, '60', NaN, [60]].map((sessionTimeoutSeconds): [object, string] => [
      { sessionTimeoutSeconds },
      'sessionTimeoutSeconds must be a whole number from 60 to 31536000.',
    ]),
    [{ clientKey: { sign }, clientSecret: 'x' }, 'clientKey must be left out if there is a clientSecret'],
    [{ clientKey: { sign }, clientAuthentication: 'client_secret_post' }, 'clientAuthentication must be left out with'],
    [
      { clientKey: [{ sign }, { sign, kid: 'x' }] },
      "has no option 'clientKey[1].kid'. Did you mean 'clientKey[1].keyId'?",
    ],
    [{ prompt: 7 }, "prompt must be one of 'login', 'consent', 'select_account', 'login consent'."],
    [{ prompt: 'zzzzzzzz' }, "'login consent'; it is 'zzzzzzzz'."],
    [{ prompt: 'logn' }, "'login consent'; it is 'logn'. Did you mean 'login'?"],
    [{ prompt: 'select an account' }, "it is 'select an account'. Did you mean 'select_account'?"],
    [{ prompt: 'z'.repeat(40) }, `'login consent'; it is '${'z'.repeat(40)}'.`],
    [{ prompt: 'z'.repeat(41) }, `'login consent'; it is '${'z'.repeat(40)}…'.`],
  ])('%j', (options, sentence) => {
    // A sentence that is given with its end is the last one.
    const end = /[.?]$/.test(sentence) ? '\n' : '';

    expect(`${refusalOf(() => configurationOf(options))}\n`).toContain(sentence + end);
  });

  function apiHosts(value: unknown): [object, string] {
    return [{ apiHosts: value }, 'apiHosts must be an array of API hosts of Salesforce'];
  }
  function callbackURL(value: unknown): [object, string] {
    return [{ callbackURL: value }, 'callbackURL must be one of the callback URLs registered in Salesforce'];
  }
  function allowedHosts(value: unknown): [object, string] {
    return [{ allowedHosts: value }, 'allowedHosts must be an array of host names'];
  }
});

describe('the middleware is refused with', () => {
  it.each<[options: object, sentence: string]>([
    [{ session: { key: '  ' } }, 'session.key must be a string that is not empty.'],
    ...['auth/login', '//evil.example', '/\\evil', '/a b', '/login?x=1', '/login#x', ['/login'], 7].map(
      (login): [object, string] => [
        { routes: { login } },
        "routes.login must be a path that begins with '/' and has no query.",
      ],
    ),
    ...['/login/', '/für', '/a/../login', '/"login"'].map((login): [object, string] => [
      { routes: { login } },
      'routes.login must be a path as browsers send it, without a slash at its end.',
    ]),
    [{ login: [{ zzz: 1 }] }, 'login must be an object of options such as'],
    [{ clock: { now: () => 0, monotonic: () => 0 } }, 'clock must be an object with the functions now, monotonic and'],
  ])('%j', (options, sentence) => {
    expect(refusalOfAll(options)).toContain(sentence);
  });

  it.each<[options: object]>([
    [{ session: { keepInfo: true } }],
    [{ grants: { acceptUnencrypted: false } }],
    [{ routes: { login: '/' } }],
    [{ routes: { login: '/f%C3%BCr', callback: '/~(a):b*' } }],
    [{ routes: { login: false, status: '/session/status' } }],
    [{ pages: { error: false } }],
  ])('nothing if %j', async (options) => {
    await salesforceAuth({ clientID, report: false, ...options }).close();
  });
});

describe('what is said of options that are none', () => {
  it.each<[given: unknown, kind: string]>([
    [true, 'it got true.'],
    ['__secret__', 'it got a string.'],
    [7, 'it got a number.'],
    [Object.create({ scopes: 'api' }), 'it got an instance of a class.'],
  ])('%p', (given, kind) => {
    expect(refusalOf(() => requireSalesforce(given as never))).toContain(kind);
  });

  it.each<[given: object, name: string]>([
    [{ method: 'GET' }, 'method'],
    [{ headers: {} }, 'headers'],
  ])('%j, which looks a little like a request', (given, name) => {
    expect(refusalOf(() => requireSalesforce(given as never))).toContain(`has no option '${name}'`);
  });
});

describe('a name that is meant', () => {
  it.each<[given: string, meant: string]>([
    ['url_calback', 'callbackURL'],
    ['sources_profi_log', 'login.profileSource'],
  ])('by %s is %s: the words in another order, and cut short', (given, meant) => {
    expect(refusalOfAll({ [given]: 1 })).toContain(`Did you mean '${meant}'?`);
  });

  it('is not offered for the name of another library, if this call has no such option', () => {
    const store = { client: {}, consumerKey: 'x' };

    expect(refusalOf(() => new RedisTokenStore(store as never))).toContain('Known are: ');
  });
});

describe('the option refresh', () => {
  const settings = { waitMs: 10_000, leaseMs: 15_000, onLostAnswer: 'wait', idleLimitMs: 30 * day * 1000 };
  const usual = { everySeconds: 3600, usedWithinSeconds: 30 * day, jobs: false, abandonedAfterSeconds: undefined };

  it.each<[given: object | undefined, hasLastingGrants: boolean, expected: object]>([
    [undefined, true, { settings, keepAlive: { ...usual, afterSeconds: 25 * day } }],
    [undefined, false, { settings, keepAlive: undefined }],
    [{}, true, { settings, keepAlive: { ...usual, afterSeconds: 25 * day } }],
    [{ keepAlive: false }, true, { settings, keepAlive: undefined }],
    [{ keepAlive: true }, false, { settings, keepAlive: { ...usual, afterSeconds: 25 * day } }],
    [{ keepAlive: {} }, false, { settings, keepAlive: { ...usual, afterSeconds: 25 * day } }],
    [
      { keepAlive: { jobs: true, afterSeconds: 30 * day - 1, abandonedAfterSeconds: 1 } },
      false,
      {
        settings,
        keepAlive: {
          ...{ ...usual, jobs: true, afterSeconds: 30 * day - 1 },
          ...{ everySeconds: 1, abandonedAfterSeconds: 1 },
        },
      },
    ],
    [
      { idleLimitSeconds: 100 },
      true,
      { settings: { ...settings, idleLimitMs: 100_000 }, keepAlive: { ...usual, afterSeconds: 83, everySeconds: 8 } },
    ],
    [
      { idleLimitSeconds: 3_600, keepAlive: { everySeconds: 540 } },
      true,
      { keepAlive: { ...usual, afterSeconds: 3_000, everySeconds: 540 } },
    ],
    [{ idleLimitSeconds: day }, true, { keepAlive: { ...usual, afterSeconds: 72_000 } }],
    [{ idleLimitSeconds: false }, true, { settings: { ...settings, idleLimitMs: undefined }, keepAlive: undefined }],
    [
      { idleLimitSeconds: false, keepAlive: true },
      true,
      { settings: { ...settings, idleLimitMs: undefined }, keepAlive: { ...usual, afterSeconds: 25 * day } },
    ],
    [
      { idleLimitSeconds: false, keepAlive: { afterSeconds: 100 * day } },
      true,
      { settings: { ...settings, idleLimitMs: undefined }, keepAlive: { ...usual, afterSeconds: 100 * day } },
    ],
  ])('%j comes to what is kept alive if grants last: %s', (given, hasLastingGrants, expected) => {
    expect(parseRefresh(given, hasLastingGrants)).toMatchObject(expected);
  });

  it.each([
    [{ keepAlive: 'yes' }, 'refresh.keepAlive must be true, false or an object'],
    [{ keepAlive: { afterSeconds: 30 * day } }, 'afterSeconds must be less than refresh.idleLimitSeconds, which is'],
    [{ idleLimitSeconds: 60, keepAlive: { afterSeconds: 61 } }, 'which is 60'],
    [
      { idleLimitSeconds: 3_600, keepAlive: { everySeconds: 546 } },
      'refresh.keepAlive.everySeconds must be at most 545, so that each grant is seen after afterSeconds and before refresh.idleLimitSeconds is over.',
    ],
  ])('%j is refused', (given, sentence) => {
    expect(refusalOf(() => parseRefresh(given, true))).toContain(sentence);
  });

  it.each<[scope: string[], may: boolean]>([
    [[], true],
    [['refresh_token'], true],
    [['id', 'offline_access'], true],
    [['full'], false],
    [['openid', 'api'], false],
    [['refresh_tokens', 'fuller'], false],
    [['no_refresh_token', 'painfull'], false],
  ])('knows whether logins with the scopes %j may be refreshed: %s', (scope, may) => {
    expect(mayGetRefreshToken(scope)).toBe(may);
  });
});

describe('configurationFromEnv()', () => {
  it.each<[env: Record<string, string>, expected: object]>([
    [{}, { clientID: '' }],
    [
      { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_PROMPT_TYPE: 'off' },
      { clientID: 'x', prompt: false },
    ],
    [{ SALESFORCE_CLIENT_ID: 'x', SALESFORCE_PROMPT_TYPE: ' ' }, { clientID: 'x' }],
    [
      { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_CLIENT_KEY: 'k', SALESFORCE_CLIENT_CERTIFICATE: 'c' },
      { clientID: 'x', clientKey: { key: 'k', certificate: 'c' } },
    ],
    [
      { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_CALLBACK_URL: '/cb', SALESFORCE_BASE_URL: 'https://test.salesforce.com' },
      { clientID: 'x', callbackURL: '/cb', baseUrl: 'https://test.salesforce.com' },
    ],
  ])('%j has no entry for what is not set', (env, expected) => {
    expect(configurationFromEnv(env)).toStrictEqual(expected);
  });
});

describe('the option tenant', () => {
  it.each([undefined, 'one', ''])('may give %p for a request', (name) => {
    expect(checkedTenant(() => name)!({} as never)).toBe(name);
  });

  it('may give nothing else', () => {
    expect(refusalOf(() => checkedTenant((() => 7) as never)!({} as never))).toContain('it gave number');
  });
});
