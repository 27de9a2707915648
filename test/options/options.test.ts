import { configurationFromEnv, isSalesforceAuthError, salesforceAuth } from '../../lib';
import { SalesforceStrategy } from '../../lib/strategy';

const valid = { clientID: '__test_client_id__', callbackURL: 'https://app.example.com/auth/salesforce/callback' };

function errorOf(options: unknown): Record<string, unknown> {
  try {
    void salesforceAuth(options as never).close();
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('The options were accepted.');
}

describe('salesforceAuth() options', () => {
  it.each([
    [{ ...valid, clientId: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'clientID'?"],
    [{ ...valid, clientSecrets: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'clientSecret'?"],
    [{ ...valid, promptType: 'login' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'prompt'?"],
    [{ ...valid, loginUrl: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'baseUrl'?"],
    [{ ...valid, encryptionKey: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'encryptionKeys'?"],
    [{ ...valid, zzzzzz: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', 'Known are: clientID'],
    [{ ...valid, clientID: '' }, 'ERR_SALESFORCE_OPTION_INVALID', 'Consumer Key'],
    [{ ...valid, clientID: undefined }, 'ERR_SALESFORCE_OPTION_INVALID', 'Consumer Key'],
    [{ ...valid, clientSecret: '' }, 'ERR_SALESFORCE_OPTION_INVALID', 'clientSecret'],
    [{ ...valid, prompt: 'logn' }, 'ERR_SALESFORCE_OPTION_INVALID', "Did you mean 'login'?"],
    [{ ...valid, prompt: 'consent login' }, 'ERR_SALESFORCE_OPTION_INVALID', "'login consent'"],
    [{ ...valid, prompt: 'none' }, 'ERR_SALESFORCE_OPTION_INVALID', "'select_account'"],
    [{ ...valid, login: { display: 'big' } }, 'ERR_SALESFORCE_OPTION_INVALID', "'popup'"],
    [{ ...valid, baseUrl: 'login.salesforce.com' }, 'ERR_SALESFORCE_OPTION_INVALID', 'absolute https URL'],
    [{ ...valid, baseUrl: '/services' }, 'ERR_SALESFORCE_OPTION_INVALID', 'absolute https URL'],
    [{ ...valid, baseUrl: 'https://login.salesforce.com?x=1' }, 'ERR_SALESFORCE_OPTION_INVALID', 'without query'],
    [{ ...valid, baseUrl: 'https://me@login.salesforce.com' }, 'ERR_SALESFORCE_OPTION_INVALID', 'user name'],
    [{ ...valid, baseUrl: 'http://login.salesforce.com' }, 'ERR_SALESFORCE_OPTION_INVALID', 'must use https'],
    [
      { ...valid, baseUrl: 'https://login.salesforce.com.evil.example' },
      'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
      'allowedHosts',
    ],
    [{ ...valid, baseUrl: 'https://evilsalesforce.com' }, 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED', 'client secret'],
    [
      { ...valid, baseUrl: 'https://acme.lightning.force.com' },
      'ERR_SALESFORCE_OPTION_INVALID',
      'https://acme.my.salesforce.com',
    ],
    [{ ...valid, callbackURL: 'http://app.example.com/cb' }, 'ERR_SALESFORCE_OPTION_INVALID', 'https'],
    [{ ...valid, callbackURL: 'app/cb' }, 'ERR_SALESFORCE_OPTION_INVALID', 'https'],
    [{ ...valid, scope: 7 }, 'ERR_SALESFORCE_OPTION_INVALID', 'scope'],
    [{ ...valid, encryptionKeys: ['short'] }, 'ERR_SALESFORCE_OPTION_INVALID', 'openssl rand'],
    [{ ...valid, store: {} }, 'ERR_SALESFORCE_OPTION_INVALID', 'token store'],
    [{ ...valid, refresh: { waitMs: '10' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'refresh.waitMs'],
    [{ ...valid, login: { authorizationParams: { state: 'x' } } }, 'ERR_SALESFORCE_OPTION_INVALID', "'state'"],
    [{ ...valid, routes: { signin: '/x' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'login, choose, callback, logout'],
    [{ ...valid, routes: { login: 'login' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'routes.login'],
    [{ ...valid, routes: { login: '/x', callback: '/x' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'routes.callback'],
    [{ ...valid, routes: { status: '/auth/salesforce' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'routes.status'],
    [{ ...valid, allowedOrganizations: ['acme'] }, 'ERR_SALESFORCE_OPTION_INVALID', '00D'],
    [{ ...valid, organizations: { dev: 'http://x.example' } }, 'ERR_SALESFORCE_OPTION_INVALID', 'organizations.dev'],
    [{ configuration: () => valid, clientID: 'x' }, 'ERR_SALESFORCE_OPTION_INVALID', 'configuration function returns'],
    [undefined, 'ERR_SALESFORCE_OPTION_INVALID', 'an object with clientID'],
  ])('refuses %j', (options, code, text) => {
    const error = errorOf(options);

    expect(error).toBeInstanceOf(TypeError);
    expect(isSalesforceAuthError(error)).toBe(true);
    expect(error['code']).toBe(code);
    expect(error['message']).toContain(text);
  });

  it.each([
    'https://login.salesforce.com',
    'https://test.salesforce.com',
    'https://acme.my.salesforce.com/',
    'https://acme--uat.sandbox.my.salesforce.com',
    'https://acme.my.site.com/portal',
    'http://localhost:4400',
    'http://127.0.0.1:4400',
  ])('accepts %s as baseUrl', async (baseUrl) => {
    await salesforceAuth({ ...valid, baseUrl }).close();
  });

  it("accepts a site's own domain once it is named in allowedHosts", async () => {
    const options = { ...valid, baseUrl: 'https://support.example.com/portal', allowedHosts: ['support.example.com'] };

    await salesforceAuth(options).close();
  });

  it('does not print a wrong secret or key in its error', () => {
    const error = errorOf({ ...valid, encryptionKeys: ['__test_short_key__'] });

    expect(String(error['stack'])).not.toContain('__test_short_key__');
  });
});

describe('SalesforceStrategy options', () => {
  const verify = (_accessToken: string, _refreshToken: string | undefined, _profile: object, _done: object): void =>
    undefined;

  it('refuses a misspelt prompt with a suggestion', () => {
    expect(() => new SalesforceStrategy({ ...valid, prompt: 'select-account' as never }, verify)).toThrow(
      "Did you mean 'select_account'?",
    );
  });

  it('refuses to work without state or with plain PKCE', () => {
    expect(() => new SalesforceStrategy({ ...valid, state: false as never }, verify)).toThrow('CSRF');
    expect(() => new SalesforceStrategy({ ...valid, pkce: 'plain' as never }, verify)).toThrow('S256');
  });

  it('is called salesforce', () => {
    expect(new SalesforceStrategy(valid, verify).name).toBe('salesforce');
  });
});

describe('configurationFromEnv()', () => {
  it('reads the six variables and leaves out what is empty', () => {
    const env = {
      SALESFORCE_CLIENT_ID: ' __test_client_id__ ',
      SALESFORCE_CLIENT_SECRET: '__test_client_secret__',
      SALESFORCE_PROMPT_TYPE: 'consent',
      SALESFORCE_BASE_URL: 'https://test.salesforce.com',
      SALESFORCE_CALLBACK_URL: '',
      SALESFORCE_SCOPE: 'openid api',
    };

    expect(configurationFromEnv(env)).toEqual({
      clientID: '__test_client_id__',
      clientSecret: '__test_client_secret__',
      prompt: 'consent',
      baseUrl: 'https://test.salesforce.com',
      scope: 'openid api',
    });
  });

  it('leaves a missing client id to the part that uses the options', () => {
    expect(() => salesforceAuth(configurationFromEnv({}))).toThrow('Consumer Key');
  });
});
