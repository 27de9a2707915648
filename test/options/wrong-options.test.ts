import { runInNewContext } from 'node:vm';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import passport from 'passport';
import { diagnose, isSalesforceAuthError, MemoryTokenStore, requireSalesforce, salesforceAuth } from '../../lib';
import { systemClock } from '../../lib/clock';
import { startEmulator } from '../../lib/emulator';
import { clientOptions } from '../../lib/options/parts/client';
import { staticOptions, tenantOptions } from '../../lib/options/parts/middleware';
import { strategyOptions } from '../../lib/options/parts/strategy';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { SalesforceStrategy } from '../../lib/strategy';
import { browserOf } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* Options that are no plain object restrict nothing, so that each call has to refuse them. */

const client = { clientID: '__test_client_id__', callbackURL: 'https://app.example.com/callback' };
const verify = (_a: string, _r: string | undefined, _p: object, _done: unknown): void => undefined;
const salesforce = salesforceAuth({ ...client, encryptionKeys: ['x'.repeat(32)], report: false });
afterAll(() => salesforce.close());

/** A call with what it is given. Types are left out, as in JavaScript. */
type Call = (...given: never[]) => unknown;

const guards: [string, Call][] = [
  ['requireSalesforce()', requireSalesforce],
  ['salesforce.require()', (given) => salesforce.require(given)],
];

const calls: [string, Call][] = [
  ...guards,
  ['login()', (given) => salesforce.login(given)],
  ['credentialsLogin()', (given) => salesforce.credentialsLogin(given)],
  ['logout()', (given) => salesforce.logout(given)],
  ['singleLogout()', (given) => salesforce.singleLogout(given)],
  ['app()', (given) => salesforce.app(given).getAccessToken()],
  ['tokens.adopt()', (given) => salesforce.tokens.adopt(given)],
  ['tokens.reseal()', (given) => salesforce.tokens.reseal(given)],
  ['salesforceAuth()', salesforceAuth],
  ['SalesforceStrategy', (given) => new SalesforceStrategy(given, verify)],
  ['MemoryTokenStore()', (given) => new MemoryTokenStore(given)],
  ['RedisTokenStore()', (given) => new RedisTokenStore(given)],
  ['PostgresTokenStore()', (given) => new PostgresTokenStore(given)],
  ['startEmulator()', startEmulator],
  ['diagnose()', (given) => diagnose({ ...client, report: false }, given)],
  [
    'what a configuration function gives',
    async (given) => {
      const asked = salesforceAuth({ configuration: () => given, report: false });
      await asked
        .app()
        .getAccessToken()
        .finally(() => asked.close());
    },
  ],
];

class Settings {
  everywhere = true;
}

const wrong: [string, unknown][] = [
  ['a text', '00D000000000001'],
  ['an empty text', ''],
  ['a list', ['api']],
  ['an empty list', []],
  ['a list of options', [{ scopes: 'api' }]],
  ['a number', 5],
  ['true', true],
  ['false', false],
  ['null', null],
  ['a Map', new Map([['scopes', 'api']])],
  ['a Set', new Set(['api'])],
  ['a Date', new Date(0)],
  ['a URL', new URL('https://app.example.com')],
  ['a promise', Promise.resolve({ scopes: 'api' })],
  ['a function', () => ({ scopes: 'api' })],
  ['an instance of a class', new Settings()],
  ['an object that inherits its options', Object.create({ scopes: 'api' })],
];

/** What a call throws or rejects with. */
async function failureOf(call: () => unknown): Promise<Error> {
  try {
    const made = await call();
    await (made as { close?: () => unknown } | undefined)?.close?.();
    await (made as { stop?: () => unknown } | undefined)?.stop?.();
  } catch (error) {
    return error as Error;
  }
  throw new Error('The options were accepted.');
}

async function expectRefusal(call: () => unknown): Promise<void> {
  const error = await failureOf(call);

  expect(isSalesforceAuthError(error) && error.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
}

describe.each(calls)('%s', (_name, call) => {
  it.each(wrong)('refuses %s in place of options', async (_what, value) => {
    await expectRefusal(() => call(value as never));
  });
});

describe('a call that may get no options', () => {
  it.each(guards)('%s says what it got', async (_name, guard) => {
    expect((await failureOf(() => guard(new Map() as never))).message).toBe(
      'requireSalesforce() takes its options in a plain object such as { name: value }; it got an object of the class Map.',
    );
    expect((await failureOf(() => guard(['api'] as never))).message).toContain('it got an array.');
    expect((await failureOf(() => guard(null as never))).message).toContain('it got null.');
    expect((await failureOf(() => guard('__secret__' as never))).message).not.toContain('__secret__');
  });

  it.each(guards)('%s takes undefined, an object without a prototype, and one of another realm', (_name, guard) => {
    for (const options of [undefined, {}, Object.assign(Object.create(null), { scopes: 'api' })]) {
      expect(guard(options as never)).toBeInstanceOf(Function);
    }
    expect(guard(runInNewContext('({ scopes: ["api"] })') as never)).toBeInstanceOf(Function);
    expect(() => guard(runInNewContext('new Map()') as never)).toThrow('plain object');
  });
});

it('SalesforceStrategy without options is told what it needs', async () => {
  await expectRefusal(() => new SalesforceStrategy(undefined as never, verify));
  await expectRefusal(() => startEmulator(undefined as never));
});

it.each(wrong.filter(([, value]) => typeof value === 'object' && value !== null))(
  "passport.authenticate('salesforce') refuses %s in place of options",
  async (_what, value) => {
    const authenticator = new passport.Passport().use(new SalesforceStrategy(client, verify));
    const errors: unknown[] = [];
    const note: ErrorRequestHandler = (error, _req, res, _next) => {
      errors.push(error);
      res.status(500).end();
    };
    const app = express().use(authenticator.authenticate('salesforce', value as never) as RequestHandler, note);

    await browserOf(app).get('/');

    const [error] = errors;
    expect(isSalesforceAuthError(error) && error.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
  },
);

/** The groups, with a name for each. */
const groups: [string, (value: unknown) => object][] = [
  ...Object.entries({ ...clientOptions, ...staticOptions })
    .filter(([, spec]) => 'options' in spec)
    .map<[string, (value: unknown) => object]>(([name]) => [name, (value) => ({ [name]: value })]),
  ['refresh.keepAlive', (value) => ({ refresh: { keepAlive: value } })],
  ['organizations', (value) => ({ organizations: value })],
  ['login.authorizationParams', (value) => ({ login: { authorizationParams: value } })],
];

const ofKeepAlive = [true, false];

describe.each(groups)('the group %s', (name, optionsWith) => {
  it.each(wrong)('refuses %s', async (_what, value) => {
    if (name === 'refresh.keepAlive' && ofKeepAlive.includes(value as boolean)) return;

    await expectRefusal(() => salesforceAuth({ ...client, report: false, ...optionsWith(value) }));
  });
});

it('waitReplicas of a store refuses a list, and a list with right options', async () => {
  for (const waitReplicas of [[], [{ replicas: 1, timeoutMs: 1 }], new Map(), null]) {
    await expectRefusal(() => new RedisTokenStore({ client: {}, waitReplicas } as never));
  }
});

describe('null is no value of an option:', () => {
  it.each(Object.keys({ ...clientOptions, ...staticOptions, ...tenantOptions }))('%s', async (name) => {
    const error = await failureOf(() => salesforceAuth({ ...client, report: false, [name]: null }));

    expect(error.message).toContain(name);
    expect(isSalesforceAuthError(error) && error.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
  });

  it.each(Object.keys(strategyOptions))('%s of the strategy', async (name) => {
    const error = await failureOf(() => new SalesforceStrategy({ ...client, [name]: null }, verify));

    expect(error.message).toContain(name);
    expect(isSalesforceAuthError(error) && error.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
  });

  it.each<[string, string, Call]>([
    ['organization', 'logout()', (given) => salesforce.logout(given)],
    ['singleLogout', 'logout()', (given) => salesforce.logout(given)],
    ['baseUrl', 'login()', (given) => salesforce.login(given)],
    ['baseUrl', 'app()', (given) => salesforce.app(given).getAccessToken()],
    ['clock', 'MemoryTokenStore()', (given) => new MemoryTokenStore(given)],
    ['organization', 'requireSalesforce()', requireSalesforce],
    ['scopes', 'requireSalesforce()', requireSalesforce],
    ['credentialsIn', 'credentialsLogin()', (given) => salesforce.credentialsLogin(given)],
  ])('%s of %s', async (name, _call, call) => {
    const error = await failureOf(() => call({ [name]: null } as never));

    expect(error.message).toContain(name);
    expect(isSalesforceAuthError(error) && error.code).toBe('ERR_SALESFORCE_OPTION_INVALID');
  });

  it('while a clock needs all that a clock can do', async () => {
    const now = (): number => systemClock.now();

    await expectRefusal(() => salesforceAuth({ ...client, report: false, clock: { now } as never }));
    await salesforceAuth({ ...client, report: false, clock: systemClock }).close();
  });
});

it('options of the emulator refuse what is no plain object, and the emulator does not start', async () => {
  const emulator = await startTestEmulator();
  const [registered] = emulator.clients;

  for (const [, value] of wrong) {
    await expectRefusal(() => startEmulator({ callbackURLs: [], policy: value as never }));
    await expectRefusal(() => {
      emulator.setPolicy(registered!.clientID, value as never);
    });
    await expectRefusal(() => emulator.registerClient({ callbackURLs: [], policy: value as never }));
  }
});

it('SalesforceStrategy takes configuration and tenant that are undefined for left out', () => {
  const options = { ...client, configuration: undefined, tenant: undefined };

  expect(new SalesforceStrategy(options, verify).name).toBe('salesforce');
  expect(() => new SalesforceStrategy({ ...client, tenant: () => 'x' } as never, verify)).toThrow("no option 'tenant'");
});
