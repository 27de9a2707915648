import express5, { type Express } from 'express';
import express4 from 'express4';
import passport from 'passport';
import type request from 'supertest';
import type { Emulator } from '../../lib/emulator';
import { browserOf } from '../helpers/app';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';
import { blockNamed, run } from './blocks';

/* The application of docs/guide/linking-accounts.md, as the page has it. */

interface Account {
  id: number;
  name: string;
  linked?: string;
}

/** A table of users as an application has one. */
function accountsOf(...names: string[]) {
  const all: Account[] = names.map((name, id) => ({ id, name }));
  return {
    check: (name: string, password: string) =>
      Promise.resolve(password === `__test_${name}__` ? all.find((account) => account.name === name) : undefined),
    find: (id: number) => Promise.resolve(all[id]),
    findLinked: (linked: string) => Promise.resolve(all.find((account) => account.linked === linked)),
    link: (id: number, linked: string) => {
      const isFree = !all.some((account) => account.linked === linked && account.id !== id);
      if (isFree) all[id]!.linked = linked;
      return Promise.resolve(isFree);
    },
    unlink: (id: number) => {
      delete all[id]!.linked;
      return Promise.resolve();
    },
  };
}

const frameworks = { 4: express4, 5: express5 };

async function start(major: 4 | 5, sessionKind: string) {
  const callbackURL = 'http://localhost:3000/auth/salesforce/callback';
  const emulator = await startTestEmulator({ callbackURLs: [callbackURL] });
  const { clientID, clientSecret } = emulator.clients[0]!;
  const { sessions } = run(blockNamed(`linking accounts: ${sessionKind}`).code) as { sessions: unknown };
  const modules = {
    express: Object.assign(() => frameworks[major](), frameworks[major], { default: frameworks[major] }),
    passport: { default: new passport.Passport(), __esModule: true },
  };
  const { createApp } = run(blockNamed('linking accounts: the application').code, {}, modules) as {
    createApp: (given: object) => Express;
  };
  const scope = 'openid id api refresh_token';
  const app = createApp({
    accounts: accountsOf('Ada', 'Bob'),
    sessions,
    client: { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope, report: false },
  });
  // The callback is at that host, so the login has to begin there.
  const another = (): Tab => browserOf(app).set('Host', 'localhost:3000');
  return { emulator, tab: another(), another };
}

type Tab = ReturnType<typeof browserOf>;

async function logInBySalesforce(tab: Tab, emulator: Emulator, user = 0) {
  const begun = await tab.get('/auth/salesforce?returnTo=/account');
  const { username, password } = emulator.users[user]!;
  const authorizeUrl = begun.headers['location'] as string;
  const { pathname, search } = new URL(await logInAtEmulator({ authorizeUrl, username, password }));
  return tab.get(pathname + search);
}

const logInByPassword = (tab: Tab, name: string): request.Test =>
  tab
    .post('/login')
    .type('form')
    .send({ username: name, password: `__test_${name}__` });

describe.each([
  [5, 'express-session'],
  [5, 'cookie-session'],
  [4, 'express-session'],
  [4, 'cookie-session'],
] as const)('docs/guide/linking-accounts.md, on Express %d with %s', (major, sessionKind) => {
  it('keeps the password login beside the Salesforce login, links both, and then logs in to both', async () => {
    const { emulator, tab, another } = await start(major, sessionKind);
    const { username, organizationId, userId } = emulator.users[0]!;
    const linked = `${organizationId}/${userId}`;
    expect((await tab.get('/account')).status).toBe(401);
    await logInByPassword(tab, 'Ada');
    expect((await tab.get('/account')).body).toEqual({ account: 'Ada' });
    expect((await tab.post('/link')).status).toBe(401);

    expect((await logInBySalesforce(tab, emulator)).headers['location']).toBe('/account');

    expect((await tab.get('/account')).body).toEqual({ account: 'Ada', salesforce: username });
    expect((await tab.post('/link')).status).toBe(302);
    expect((await tab.get('/account')).body).toEqual({ account: 'Ada', salesforce: username, linked });

    const second = another();
    await logInBySalesforce(second, emulator);
    expect((await second.get('/account')).body).toEqual({ account: 'Ada', salesforce: username, linked });

    await tab.post('/logout');
    expect((await tab.get('/account')).status).toBe(401);
    await logInBySalesforce(tab, emulator);
    expect((await tab.get('/account')).body).toEqual({ account: 'Ada', salesforce: username, linked });
  });

  it('keeps the account logged in when it is unlinked, and revokes the tokens', async () => {
    const { emulator, tab } = await start(major, sessionKind);
    await logInBySalesforce(tab, emulator);
    expect((await tab.get('/account')).status).toBe(401);
    await logInByPassword(tab, 'Ada');
    expect((await tab.get('/account')).body).toMatchObject({ account: 'Ada', salesforce: expect.any(String) });
    await tab.post('/link');

    expect((await tab.post('/unlink')).status).toBe(302);

    expect((await tab.get('/account')).body).toEqual({ account: 'Ada' });
    expect(emulator.liveTokens().refreshTokens).toBe(0);
    await tab.post('/logout');
    await logInBySalesforce(tab, emulator);
    expect((await tab.get('/account')).status).toBe(401);
  });

  it('keeps the account logged in when the user logs out of Salesforce only', async () => {
    const { emulator, tab } = await start(major, sessionKind);
    await logInByPassword(tab, 'Ada');
    await logInBySalesforce(tab, emulator);

    await tab.post('/auth/salesforce/logout');

    expect((await tab.get('/account')).body).toEqual({ account: 'Ada' });
  });

  it('links a Salesforce user to one account only, and changes no account by a login', async () => {
    const { emulator, tab, another } = await start(major, sessionKind);
    await logInByPassword(tab, 'Ada');
    await logInBySalesforce(tab, emulator);
    await tab.post('/link');
    const bob = another();
    await logInByPassword(bob, 'Bob');

    await logInBySalesforce(bob, emulator);

    expect((await bob.get('/account')).body).toMatchObject({ account: 'Bob' });
    expect((await bob.post('/link')).status).toBe(409);
    expect((await bob.get('/account')).body).not.toHaveProperty('linked');
  });
});
