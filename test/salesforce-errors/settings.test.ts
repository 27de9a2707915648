import { meanings } from '../../lib/salesforce-errors/meanings';
import { isSalesforceAuthError, salesforceAuth, type SalesforceAuthError } from '../../lib';
import type { ClientPolicy, EmulatorClient } from '../../lib/emulator';
import { logIn, startApp, walkToCallback, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

/*
 * Errors of the catalogue as they come about: an administrator changes a setting of the app or of the user, before a login,
 * in the middle of one, or after it.
 */

interface Setting {
  what: string;
  change: Partial<ClientPolicy> | 'user' | 'secret';
  code: string;
  /** Where a login notices it; a user who is shut out does not get past Salesforce's own page. */
  at: readonly ('callback' | 'code' | 'refresh')[];
  /** Whether a grant is over for good once a refresh has met it. */
  ends?: true;
}

const everywhere = ['callback', 'code', 'refresh'] as const;
const settings: readonly Setting[] = [
  { what: 'blocks the app', change: { blocked: true }, code: 'ERR_SALESFORCE_APP_BLOCKED', at: everywhere },
  {
    what: 'removes the app',
    change: { appInstalled: false },
    code: 'ERR_SALESFORCE_APP_NOT_INSTALLED',
    at: everywhere,
  },
  {
    what: 'removes the connected app',
    change: { appInstalled: false, appKind: 'connected-app' },
    code: 'ERR_SALESFORCE_APP_NOT_INSTALLED',
    // A user who had approved it before goes on.
    at: ['callback'],
  },
  {
    what: 'admits other users only',
    change: { adminApprovedUsers: ['grace@acme.example'] },
    code: 'ERR_SALESFORCE_APP_NOT_APPROVED',
    at: everywhere,
  },
  {
    what: 'takes a scope away',
    change: { assignedScopes: ['id', 'refresh_token'] },
    code: 'ERR_SALESFORCE_SCOPE_INVALID',
    at: ['callback'],
  },
  {
    what: 'gives the app another secret',
    change: 'secret',
    code: 'ERR_SALESFORCE_CLIENT_REJECTED',
    at: ['code', 'refresh'],
  },
  {
    what: 'deactivates the user',
    change: 'user',
    code: 'ERR_SALESFORCE_USER_INACTIVE',
    at: ['code', 'refresh'],
    ends: true,
  },
];

async function start() {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  /** What the operator's configuration service says the secret is. */
  const operator = { clientSecret: '' };
  const app = await startApp({
    emulator,
    create: ({ clientID, clientSecret }, callbackURL) => {
      operator.clientSecret = clientSecret;
      return salesforceAuth({
        clock,
        encryptionKeys: false,
        configuration: () => ({
          clientID,
          clientSecret: operator.clientSecret,
          callbackURL,
          baseUrl: emulator.url,
          scope: 'id api refresh_token',
        }),
      });
    },
  });
  const client = app.client;
  return { emulator, clock, operator, ...app, ...changes(emulator.users[0]!, client, emulator) };
}

/** Makes a change and takes it back. */
function changes(
  user: { active: boolean },
  client: EmulatorClient,
  emulator: { setPolicy(clientID: string, policy: object): void; rotateSecret(clientID: string): string },
) {
  const before = { ...client.policy };
  return {
    make(change: Setting['change']): void {
      if (change === 'user') user.active = false;
      else if (change === 'secret') emulator.rotateSecret(client.clientID);
      else emulator.setPolicy(client.clientID, change);
    },
    takeBack(operator: { clientSecret: string }): void {
      user.active = true;
      operator.clientSecret = client.clientSecret;
      emulator.setPolicy(client.clientID, before);
    },
  };
}

/** The error a request ended with; a refresh has its reason as the cause. */
function lastError({ errors }: Pick<TestApp, 'errors'>): SalesforceAuthError {
  const error = errors.pop() as SalesforceAuthError;
  return isSalesforceAuthError(error.cause) ? (error.cause as SalesforceAuthError) : error;
}

const rows = (at: Setting['at'][number]): readonly Setting[] => settings.filter((setting) => setting.at.includes(at));

describe('an administrator who changes a setting', () => {
  it.each(rows('callback'))('before a login, and $what', async ({ change, code }) => {
    const app = await start();
    app.make(change);

    const refused = await logIn(app.browser(), app.emulator);
    expect([lastError(app).code, refused.body.code]).toEqual([code, code]);

    app.takeBack(app.operator);
    expect((await logIn(app.browser(), app.emulator)).status).toBe(302);
  });

  it.each(rows('code'))('during a login, and $what', async ({ change, code }) => {
    const app = await start();
    const tab = app.browser();
    await logIn(tab, app.emulator);
    const callback = await walkToCallback(tab, app.emulator);
    app.make(change);

    const refused = await tab.get(callback);
    expect(refused.body.code).toBe(code);
    app.takeBack(app.operator);

    // The login that was there before goes on.
    expect((await tab.get('/accounts')).status).toBe(200);
    expect((await logIn(tab, app.emulator)).status).toBe(302);
  });

  it.each(rows('refresh'))('after a login, and $what', async ({ change, code, ends }) => {
    const app = await start();
    const tab = app.browser();
    await logIn(tab, app.emulator);
    app.make(change);
    app.emulator.expireAccessTokens();

    const refused = await tab.get('/accounts');
    expect(lastError(app).code).toBe(code);
    app.takeBack(app.operator);
    app.clock.advanceSeconds(60);

    const { status } = Object.values(meanings).find((meaning) => meaning.code === code)!;
    expect(refused.status).toBe(ends ? 401 : status);
    expect((await tab.get('/accounts')).status).toBe(ends ? 401 : 200);
  });

  it('during a login, if the operator changes the secret at the same time', async () => {
    const app = await start();
    const tab = app.browser();
    const callback = await walkToCallback(tab, app.emulator);
    app.operator.clientSecret = app.emulator.rotateSecret(app.client.clientID);

    expect((await tab.get(callback)).status).toBe(302);
    app.emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});
