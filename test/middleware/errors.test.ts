import express, { type ErrorRequestHandler } from 'express';
import request from 'supertest';
import { requireSalesforce } from '../../lib';
import { logIn, startApp, walkToCallback } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

describe('errors of the set-up', () => {
  it('a guard without the middleware says so', async () => {
    const app = express();
    const report: ErrorRequestHandler = (error: { code: string; status: number; message: string }, _req, res, _next) =>
      void res.status(error.status).json(error.code);
    app.get('/', requireSalesforce(), (_req, res) => void res.end());
    app.use(report);

    const answer = await request(app).get('/');

    expect([answer.status, answer.body]).toEqual([500, 'ERR_SALESFORCE_MIDDLEWARE_MISSING']);
  });

  it('a public client logs no user in without a scope that proves who the user is', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      clientSecret: false,
      options: { login: { profileSource: 'id' }, scope: 'id api refresh_token' },
    });
    const tab = browser();

    const answer = await logIn(tab, emulator);

    expect([answer.status, answer.body.code]).toEqual([500, 'ERR_SALESFORCE_IDENTITY_UNPROVEN']);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });
});

describe('errors of the network', () => {
  it('a Salesforce that takes no connection leaves the session as it was', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const callback = await walkToCallback(tab, emulator);
    await emulator.stop();
    // Connections kept alive from before are used up first: they break instead of being refused.
    for (let kept = 0; kept < 5; kept++) await expect(fetch(emulator.url)).rejects.toThrow();

    const answer = await tab.get(callback);

    expect([answer.status, answer.body.code]).toEqual([502, 'ERR_SALESFORCE_UNREACHABLE']);
    expect(answer.headers['retry-after']).toBe('5');
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });
});
