import express from 'express';
import { logIn, startApp, walkToCallback, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/** What listeners of `login.failed` hear, by code. */
function heardBy({ salesforce }: TestApp): (string | undefined)[] {
  const codes: (string | undefined)[] = [];
  salesforce.events.on('login.failed', ({ code }) => codes.push(code));
  return codes;
}

describe('the operator hears of a login that fails', () => {
  it('at its begin, at its callback and with credentials, also if the application answers the error itself', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({
      emulator,
      routes: (routes, salesforce) =>
        routes.post('/login', express.urlencoded({ extended: false }) as never, salesforce.credentialsLogin()),
    });
    const heard = heardBy(app);
    const tab = app.browser();

    await tab.get('/auth/salesforce?org=unknown');
    await tab.get(await walkToCallback(tab, emulator, { decision: 'deny' }));
    await tab.post('/login').type('form').send({ username: 'ada@acme.example' });

    const codes = [
      'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
      'ERR_SALESFORCE_ACCESS_DENIED',
      'ERR_SALESFORCE_CREDENTIALS_MISSING',
    ];
    expect(heard).toEqual(codes);
    expect(app.errors).toHaveLength(3);
    expect(app.warnings.map(({ code }) => code).filter((code) => codes.includes(code))).toEqual(codes);
  });

  it('without the text of an error of the application, which may be secret', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({
      emulator,
      options: {
        authorizeUser: () => {
          throw new TypeError('connect postgres://app:__test_password__@db failed for ada@acme.example');
        },
      },
    });
    const heard: unknown[] = [];
    app.salesforce.events.on('login.failed', (event) => heard.push(event));

    await logIn(app.browser(), emulator);

    expect(heard).toEqual([{ code: undefined, reason: 'The application threw TypeError.' }]);
    // The error itself reaches the error handler of the application.
    expect(app.errors).toEqual([expect.objectContaining({ name: 'TypeError' })]);
  });

  it('once a minute for each code, though each failure is an event', async () => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator });
    const heard = heardBy(app);
    for (let round = 0; round < 5; round++) await app.browser().get('/auth/salesforce/callback?error=x&state=y');

    expect(heard).toHaveLength(5);
    expect(app.warnings.filter(({ code }) => code === heard[0])).toHaveLength(1);
  });
});
