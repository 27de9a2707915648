import type { FetchFunction } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

const change: [what: string, alter: (idToken: string) => string, reason: string][] = [
  ['a changed signature', (token) => `${token.split('.').slice(0, 2).join('.')}.${'A'.repeat(342)}`, 'signature'],
  ['an unusable header', (token) => `%%.${token.split('.').slice(1).join('.')}`, 'JWT'],
  ['a missing part', (token) => token.split('.').slice(0, 2).join('.'), 'JWT'],
];

it.each(change)('an ID token with %s is refused with the reason', async (_what, alter, reason) => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({ emulator });
  emulator.faults.inject({
    on: 'code',
    kind: 'reply',
    change: (reply) => ({ ...reply, id_token: alter(String(reply['id_token'])) }),
  });

  const { body } = await logIn(browser(), emulator);

  expect(body.code).toBe('ERR_SALESFORCE_ID_TOKEN_INVALID');
  expect(body.message).toContain(reason);
  expect(body.message).not.toContain('could not be verified');
});

it.each([503, 500, 429])(
  'an ID token is not called wrong if Salesforce answers with %i in place of its keys',
  async (status) => {
    const emulator = await startTestEmulator();
    let keys: string | undefined = `${emulator.url}/services/data/`;
    const send: FetchFunction = (url, init) => fetch(keys !== undefined && url.endsWith('/id/keys') ? keys : url, init);
    const { browser } = await startApp({ emulator, options: { fetch: send } });
    emulator.faults.inject({ on: 'data', kind: 'status', status });

    const failed = await logIn(browser(), emulator);

    expect(failed.status).toBe(503);
    expect(failed.body).toMatchObject({ code: 'ERR_SALESFORCE_UPSTREAM' });
    keys = undefined;
    expect((await logIn(browser(), emulator)).status).toBe(302);
  },
);
