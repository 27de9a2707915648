import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import request from 'supertest';
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
