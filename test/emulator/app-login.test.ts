import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import expressSession from 'express-session';
import request from 'supertest';
import type { Emulator } from '../../lib/emulator';
import { startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

describe('logInTo()', () => {
  it('returns the cookies of a login at an application that does not listen', async () => {
    const emulator = await startTestEmulator();
    const { app } = await startApp({ emulator });

    const cookie = await emulator.logInTo(app);

    const { body } = await request(app).get('/me').set('Cookie', cookie);
    expect(body.user.username).toBe(emulator.users[0]!.username);
  });

  it('logs another user in, at a URL and with another login route', async () => {
    const emulator = await startTestEmulator();
    const { url, app } = await startApp({
      emulator,
      routes: (router, salesforce) => router.get('/sign-in', salesforce.login({ returnTo: '/' })),
    });
    const user = emulator.addUser({ displayName: 'Alan Fake' });

    const cookie = await emulator.logInTo(url, { username: user.username, loginPath: '/sign-in' });

    const { body } = await request(app).get('/me').set('Cookie', cookie);
    expect(body.user).toMatchObject({ username: user.username, displayName: 'Alan Fake', userId: user.userId });
  });

  it('says what the app answered if the app does not begin a login', async () => {
    const emulator = await startTestEmulator();
    const { app } = await startApp({ emulator });

    await expect(emulator.logInTo(app, { loginPath: '/nowhere' })).rejects.toThrow(
      /^The app answered \/nowhere with 404 instead of a redirect: .*Cannot GET/s,
    );
    await expect(emulator.logInTo(app, { decision: 'deny' })).rejects.toThrow(
      'The app answered /auth/salesforce/callback with 403',
    );
  });

  const overHttps = 'https://app.example.com/auth/salesforce/callback';

  /** An application with a session cookie of these flags, behind a proxy that ends https if its callback URL says so. */
  async function withCookie(
    cookie: object,
    { callbackURL, trustsProxy = true }: { callbackURL?: string; trustsProxy?: boolean } = {},
  ): Promise<{ emulator: Emulator; app: Express }> {
    const emulator = await startTestEmulator();
    const secret = '__test_session_secret__';
    const { app, client } = await startApp({
      emulator,
      options: callbackURL === undefined ? {} : { callbackURL },
      sessionMiddleware: expressSession({ secret, resave: false, saveUninitialized: false, cookie }) as never,
    });
    if (callbackURL !== undefined) client.callbackURLs.push(callbackURL);
    if (trustsProxy) app.set('trust proxy', 1);
    return { emulator, app };
  }

  it('logs in at an application whose session cookie is strict', async () => {
    const { emulator, app } = await withCookie({ sameSite: 'strict' });

    const cookie = await emulator.logInTo(app);

    expect((await request(app).get('/me').set('Cookie', cookie)).status).toBe(200);
  });

  it.each(['lax', 'strict'])('logs in at an application whose session cookie is secure and %s', async (sameSite) => {
    const { emulator, app } = await withCookie({ secure: true, sameSite }, { callbackURL: overHttps });

    const cookie = await emulator.logInTo(app);

    expect((await request(app).get('/me').set('Cookie', cookie)).status).toBe(200);
  });

  it.each([
    ['the callback URL is not https', {}],
    ['the application does not trust the proxy', { callbackURL: overHttps, trustsProxy: false }],
  ])('says what to do if a secure cookie is not set, since %s', async (_what, given) => {
    const { emulator, app } = await withCookie({ secure: true }, given);

    await expect(emulator.logInTo(app)).rejects.toThrow(
      /^The app set no cookie of a session\. .*https:\/\/.*app\.set\('trust proxy', 1\)/,
    );
  });

  it('leaves no server running', async () => {
    const emulator = await startTestEmulator();
    let server: Server | undefined;
    const app = express().use((req, res) => {
      server = (req.socket as unknown as { server: Server }).server;
      res.status(418).end();
    });

    await expect(emulator.logInTo(app)).rejects.toThrow('418');

    if (server!.listening) await once(server!, 'close');
    expect(server!.address() as AddressInfo | null).toBeNull();
  });
});

describe('addUser()', () => {
  it('makes up missing fields, and each user is different', async () => {
    const emulator = await startTestEmulator();
    const [one, two] = [emulator.addUser(), emulator.addUser({ organizationId: emulator.users[2]!.organizationId })];

    expect(new Set(emulator.users.map(({ userId }) => userId)).size).toBe(5);
    expect(one.organizationId).toBe(emulator.users[0]!.organizationId);
    expect(two.organizationId).toBe(emulator.users[2]!.organizationId);
    expect(one.username).not.toBe(two.username);
  });

  it('refuses an organization that does not exist', async () => {
    const emulator = await startTestEmulator();

    expect(() => emulator.addUser({ organizationId: '00D000000000000AAA' })).toThrow(
      'The emulator has no organization 00D000000000000AAA.',
    );
  });
});
