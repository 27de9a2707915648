/** @tier all */
import { salesforceAuth } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/** More than a process remembers. */
const others = 1_001;

/** One tenant of very many, each of which has a client of its own; `asked` are the tenants whose configuration is asked for. */
async function oneOfMany() {
  const emulator = await startTestEmulator();
  const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
  const asked: (string | undefined)[] = [];
  const app = await startApp({
    emulator,
    create: (_client, callbackURL) => {
      client.callbackURLs.push(callbackURL);
      const { clientID, clientSecret } = client;
      return salesforceAuth({
        tenant: (req) => req.get('x-tenant'),
        configuration: ({ tenant }) => {
          asked.push(tenant);
          const own = tenant === 'acme' ? { clientID, clientSecret } : { clientID: `__client_of_${tenant!}__` };
          return { ...own, baseUrl: emulator.url, callbackURL, scope: 'id api openid refresh_token' };
        },
        encryptionKeys: ['__test_encryption_key_of_32_chars__'],
        refresh: { cacheMs: 0 },
      });
    },
  });
  const tab = app.browser().set('x-tenant', 'acme');
  await logIn(tab, emulator);
  for (let other = 0; other < others; other++) {
    const begun = await app.browser().get('/auth/salesforce').set('x-tenant', `tenant-${other}`);
    expect(begun.status).toBe(302);
  }
  expect(new Set(asked).size).toBe(others + 1);
  asked.length = 0;
  return { emulator, tab, asked };
}

describe('a tenant whose configuration this process has forgotten', () => {
  it('is asked about once more when a grant is refreshed', async () => {
    const { emulator, tab, asked } = await oneOfMany();
    emulator.expireAccessTokens();

    expect((await tab.get('/accounts')).status).toBe(200);
    expect(new Set(asked)).toEqual(new Set(['acme']));
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('is asked about once more at a logout, which revokes all there is', async () => {
    const { emulator, tab, asked } = await oneOfMany();

    const logout = await tab.post('/auth/salesforce/logout').set('accept', 'application/json');

    expect(logout.status).toBe(204);
    expect(new Set(asked)).toEqual(new Set(['acme']));
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
