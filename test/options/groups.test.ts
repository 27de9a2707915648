import { isSalesforceAuthError, salesforceAuth } from '../../lib';
import { clientOptions } from '../../lib/options/parts/client';
import { staticOptions, tenantOptions } from '../../lib/options/parts/middleware';
import type { Part } from '../../lib/options/spec';
import { RedisTokenStore } from '../../lib/stores/redis';
import { SalesforceStrategy } from '../../lib/strategy';

const valid = { clientID: '__test_client_id__' };
const all: Part = { ...clientOptions, ...tenantOptions, ...staticOptions };

function messageOf(options: object): string {
  try {
    void salesforceAuth({ ...valid, report: false, ...options }).close();
  } catch (error) {
    if (isSalesforceAuthError(error)) return error.message;
    throw error;
  }
  throw new Error('The options were accepted.');
}

/** The options in groups: the path of each, and its name alone. */
function inside(part: Part, above = ''): { path: string; name: string }[] {
  return Object.entries(part).flatMap(([name, { options }]) => {
    const path = above + name;
    return [...(above === '' ? [] : [{ path, name }]), ...(options ? inside(options, `${path}.`) : [])];
  });
}

const grouped = inside(all);
const namesAtTop = Object.keys(all);

describe('an option of a group', () => {
  it('is one of many', () => {
    expect(grouped.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['login.display', 'refresh.waitMs', 'refresh.keepAlive.jobs', 'routes.choose']),
    );
  });

  it.each(grouped.filter(({ name }) => !namesAtTop.includes(name)))(
    '$path is told its place if it stands at the top as $name',
    ({ path, name }) => {
      const places = grouped.filter((other) => other.name === name).map((other) => other.path);

      expect(messageOf({ [name]: 'x' })).toMatch(
        /^salesforceAuth\(\) has no option '\w+'\. Did you mean '([\w.]+)'\?$/,
      );
      expect(places.map((place) => `'${place}'?`).some((end) => messageOf({ [name]: 'x' }).endsWith(end))).toBe(true);
      expect(places).toContain(path);
    },
  );

  it.each(grouped)('$path is told its spelling', ({ path, name }) => {
    const [outer = '', ...between] = path.split('.').slice(0, -1);
    const misspelt = between.reduceRight<object>((value, group) => ({ [group]: value }), { [`${name}x`]: 1 });

    expect(messageOf({ [outer]: misspelt })).toBe(`salesforceAuth() has no option '${path}x'. Did you mean '${path}'?`);
  });
});

describe('a name in the wrong place', () => {
  it.each<[string, object, string, string]>([
    ['two letters the other way round', { login: { dispaly: 'page' } }, 'login.dispaly', 'login.display'],
    ['an option of the top in a group', { login: { prompt: 'consent' } }, 'login.prompt', 'prompt'],
    ['an option of another group', { login: { waitMs: 1 } }, 'login.waitMs', 'refresh.waitMs'],
    ['a path in the group of pages', { pages: { login: '/login' } }, 'pages.login', 'routes.login'],
    ['an option of a group in a group', { refresh: { jobs: true } }, 'refresh.jobs', 'refresh.keepAlive.jobs'],
    ['a misspelt option of a group, at the top', { profilSource: 'id' }, 'profilSource', 'login.profileSource'],
    ['the name on the wire', { login_hint: 'ada@example.com' }, 'login_hint', 'login.loginHint'],
    ['almost the name of the group, and another word', { homePath: '/' }, 'homePath', 'pages.home'],
    ['the name of the group as a singular', { errorPage: false }, 'errorPage', 'pages.error'],
    ['the singular of the group, and the option', { grantIdKey: 'x' }, 'grantIdKey', 'grants.idKey'],
    ['a name in another order', { keepSessionInfo: true }, 'keepSessionInfo', 'session.keepInfo'],
    ['the name of the group and of the option', { sessionKey: 'crm' }, 'sessionKey', 'session.key'],
    ['another case', { LoginHint: 'ada@example.com' }, 'LoginHint', 'login.loginHint'],
    ['the name of the group before the option', { routesChoose: '/choose' }, 'routesChoose', 'routes.choose'],
    ['the name of the group after the option', { logoutRoute: '/logout' }, 'logoutRoute', 'routes.logout'],
    [
      'two keys, and the second is wrong',
      { clientKey: [{}, { keyID: 'k' }] },
      'clientKey[1].keyID',
      'clientKey[1].keyId',
    ],
  ])('%s', (_what, options, given, meant) => {
    expect(messageOf(options)).toBe(`salesforceAuth() has no option '${given}'. Did you mean '${meant}'?`);
  });

  it('is listed with what there is, if no option is like it', () => {
    expect(messageOf({ routes: { zzzzzz: 1 } })).toBe(
      "salesforceAuth() has no option 'routes.zzzzzz'. Known in 'routes' are: login, choose, callback, logout, status.",
    );
  });

  it.each(['hint', 'ttl', 'jwt', 'mode', 'cookie', 'trustProxy', '__proto__x', 'constructor', 'toString'])(
    'leads nowhere if it is %s, which is like none',
    (name) => {
      expect(messageOf({ [name]: 1 })).toContain('Known are: clientID, ');
    },
  );

  it('is told by the strategy, by what a configuration function returns, and by a store as well', async () => {
    const verify = (_a: string, _r: string | undefined, _p: object, _done: unknown): void => undefined;
    const callbackURL = 'https://app.example.com/callback';

    expect(() => new SalesforceStrategy({ ...valid, callbackURL, display: 'page' } as never, verify)).toThrow(
      "SalesforceStrategy has no option 'display'. Did you mean 'login.display'?",
    );
    expect(() => new RedisTokenStore({ client: {}, waitReplicas: { replica: 1, timeoutMs: 1 } } as never)).toThrow(
      "RedisTokenStore() has no option 'waitReplicas.replica'. Did you mean 'waitReplicas.replicas'?",
    );
    const salesforce = salesforceAuth({
      configuration: () => ({ ...valid, anyMyDomain: true }),
      report: false,
    });
    await expect(salesforce.app().getAccessToken()).rejects.toThrow(
      "The Salesforce configuration has no option 'anyMyDomain'. Did you mean 'login.anyMyDomain'?",
    );
    await salesforce.close();
  });
});

describe('the value of a group', () => {
  it.each<[string, object, string]>([
    ...Object.keys(all)
      .filter((name) => all[name]?.options && name !== 'clientKey')
      .flatMap((name) =>
        ['text', ['list'], null, 1].map<[string, object, string]>((value) => [
          `is an object: ${name} is not ${JSON.stringify(value)}`,
          { [name]: value },
          `${name} must be an object of options such as {`,
        ]),
      ),
    ['has options with values of their own', { login: { display: 'big' } }, 'login.display must be one of'],
    ['has a key of the session that is a text', { session: { key: '' } }, 'session.key must be a string'],
    ['keeps the session or not', { session: { keepInfo: 'yes' } }, 'session.keepInfo must be true or false'],
    ['has a path', { pages: { home: 'start' } }, 'pages.home must be a path'],
    ['has a function or false', { pages: { error: 'page' } }, 'pages.error must be a function'],
    ['has a secret', { grants: { idKey: '' } }, 'grants.idKey must be a string'],
    ['reads the unencrypted or not', { grants: { acceptUnencrypted: 1 } }, 'grants.acceptUnencrypted must be true'],
    ['names no reserved parameter', { login: { authorizationParams: { state: 'x' } } }, 'login.authorizationParams'],
  ])('%s', (_what, options, sentence) => {
    expect(messageOf(options)).toContain(sentence);
  });

  it('may be left out, and so may each option in it', async () => {
    await salesforceAuth({ ...valid, report: false, login: undefined }).close();
    await salesforceAuth({ ...valid, report: false, login: { display: undefined } }).close();
  });
});
