import { Addresses } from '../../lib/address';
import {
  absoluteCallbackURL,
  loginRequest,
  type LoginRequest,
  type LoginRequestOptions,
} from '../../lib/login/request';
import { isCallback, parameterOf } from '../../lib/query';
import { parseConfiguration, type ClientOptions } from '../../lib/options/configuration';
import { requestOf } from '../helpers/request';

const callbackURL = 'https://app.example/callback';
const make = (call: LoginRequestOptions = {}, options: Partial<ClientOptions> = {}): LoginRequest =>
  loginRequest(parseConfiguration({ clientID: '__test_client__', ...options }), call, callbackURL);

describe('an authorization request', () => {
  const everything: Partial<ClientOptions> = {
    scope: 'id api',
    prompt: 'consent',
    baseUrl: 'https://acme.my.salesforce.com',
    login: { display: 'popup', loginHint: 'ada@example.com', authorizationParams: { sso: 'configured', one: '1' } },
  };

  it('has what is configured', () => {
    expect(make({}, everything)).toEqual({
      ...{ callbackURL, baseUrl: 'https://acme.my.salesforce.com', scope: ['id', 'api'], nonce: undefined },
      configuration: expect.objectContaining({ clientID: '__test_client__' }),
      params: { prompt: 'consent', display: 'popup', login_hint: 'ada@example.com', sso: 'configured', one: '1' },
    });
  });

  it('has what the call says in place of that, and both of the further parameters', () => {
    const { params, scope, baseUrl } = make(
      {
        ...{ scope: ['id'], prompt: 'select_account', display: 'touch', loginHint: 'bob@example.com' },
        ...{ baseUrl: 'https://test.salesforce.com', authorizationParams: { sso: 'called', two: '2' } },
      },
      everything,
    );

    expect({ params, scope, baseUrl }).toEqual({
      ...{ scope: ['id'], baseUrl: 'https://test.salesforce.com' },
      params: {
        ...{ prompt: 'select_account', display: 'touch', login_hint: 'bob@example.com' },
        ...{ sso: 'called', one: '1', two: '2' },
      },
    });
  });

  it('has a nonce if it asks for an ID token, another one each time', () => {
    const [one, other] = [make({ scope: 'openid' }), make({ scope: 'openid' })];

    expect(one.nonce).toMatch(/^[\w-]{32}$/);
    expect(one.params['nonce']).toBe(one.nonce);
    expect(other.nonce).not.toBe(one.nonce);
    expect(make({ scope: 'id' }).params).not.toHaveProperty('nonce');
  });

  it.each<[string, LoginRequestOptions, Record<string, string>]>([
    ['silent', { silent: true, prompt: 'login' }, { immediate: 'true' }],
    ['not silent', { silent: false, prompt: 'login' }, { prompt: 'login' }],
    ['without a prompt', { prompt: false }, {}],
  ])('can be %s', (_what, call, params) => {
    expect(make({ scope: 'id', ...call }).params).toStrictEqual(params);
  });

  it.each<[string, LoginRequestOptions]>([
    ['scope', { scope: 'id,api' }],
    ['prompt', { prompt: 'never' as never }],
    ['display', { display: 'tv' as never }],
    ['loginHint', { loginHint: 7 as never }],
    ['authorizationParams', { authorizationParams: { state: 'mine' } }],
    ['baseUrl', { baseUrl: 'https://evil.example' }],
  ])('refuses a wrong %s of the call', (option, call) => {
    expect(() => make(call)).toThrow(expect.objectContaining({ option }) as Error);
  });
});

describe('a callback', () => {
  it.each([
    ['?code=x', true],
    ['?error=x', true],
    ['?state=x', true],
    ['?error', true],
    ['?codes=x', false],
    ['', false],
  ])('is known by its query: %p %p', async (query, is) => {
    expect(isCallback(await requestOf(`/callback${query}`))).toBe(is);
  });
});

describe('a parameter of the query', () => {
  it.each([
    ['/login', undefined],
    ['/login?', undefined],
    ['/login?orgs=a', undefined],
    ['/login?org', ''],
    ['/login?org=', ''],
    ['/login?org=a+b%26c', 'a b&c'],
    ['/login?x=1&org=a?b&y=2', 'a?b'],
    ['/login?org=a&org=a', ''],
    ['/login?org[]=a', undefined],
    ['/login?x=?org=a', undefined],
  ])('of %s is %p', async (path, value) => {
    expect(parameterOf(await requestOf(path), 'org')).toBe(value);
  });
});

describe('the callback URL on the wire', () => {
  const addresses = new Addresses('https://app.example/crm');

  it.each([
    ['/auth/callback', 'https://app.example/crm/auth/callback'],
    ['http://localhost:3000/callback', 'http://localhost:3000/callback'],
    ['HTTPS://other.example/callback', 'HTTPS://other.example/callback'],
  ])('of %s is %s', async (given, url) => {
    expect(absoluteCallbackURL(await requestOf('/'), given, addresses)).toBe(url);
  });

  it.each([undefined, '', 'callback', 'auth/callback', 'x https://app.example', 'ftp://app.example', 'https:/app'])(
    'of %p is refused',
    async (given) => {
      const req = await requestOf('/');

      expect(() => absoluteCallbackURL(req, given, addresses)).toThrow(
        expect.objectContaining({ code: 'ERR_SALESFORCE_OPTION_INVALID', option: 'callbackURL' }) as Error,
      );
    },
  );
});
