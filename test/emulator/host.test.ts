import { startEmulator, type Emulator, type EmulatorOptions } from '../../lib/emulator';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import { get, logIn } from './support';

describe('the option host', () => {
  it.each([undefined, 'localhost', '127.0.0.1', '127.0.0.2', '::1', '0.0.0.0', '::'])(
    'gives only URLs at which the emulator listens: %s',
    async (host) => {
      const emulator = await startTestEmulator({ host, apiPort: 0 });

      for (const base of [emulator.url, emulator.siteUrl, emulator.myDomainUrl]) {
        const { status, json } = await get(`${base}/.well-known/openid-configuration`);
        expect([status, json['issuer']]).toEqual([200, base]);
      }
      expect((await get(`${emulator.apiUrl}/any`)).status).toBe(401);
    },
  );

  it.each([undefined, 'localhost', '0.0.0.0', '::'])('can have a separate My Domain: %s', async (host) => {
    const emulator = await startTestEmulator({ host, instance: 'my-domain' });
    const { access_token, instance_url } = await logIn(emulator);

    expect(instance_url).toBe(emulator.myDomainUrl);
    expect(instance_url).not.toBe(emulator.url);
    expect((await get(`${instance_url}/services/data/v64.0/limits`, access_token)).status).toBe(200);
    expect((await get(`${emulator.url}/services/data/v64.0/limits`, access_token)).status).toBe(401);
  });

  it.each(['127.0.0.1', '127.0.0.2', '::1', '192.0.2.1', 'emulator.example'])(
    'is refused with a separate My Domain if it is one address: %s',
    async (host) => {
      const options: EmulatorOptions = { callbackURLs: [defaultCallbackURL], host, instance: 'my-domain' };

      await expect(startEmulator(options)).rejects.toThrow(
        `host must be left out, or one of 'localhost', '0.0.0.0', '::' with instance: 'my-domain': at "${host}"`,
      );
    },
  );

  it.each([
    ['http', 80],
    ['https', 443],
  ] as const)('and the default port of %s, %d, come to URLs as every client writes them', async (scheme, port) => {
    let emulator: Emulator;
    try {
      emulator = await startTestEmulator({ host: '127.0.0.3', port, https: scheme === 'https' });
    } catch (error) {
      // Not every user may listen there, and another server may do so already.
      if (['EACCES', 'EADDRINUSE'].includes(String((error as NodeJS.ErrnoException).code))) return;
      throw error;
    }

    expect(emulator.url).toBe(`${scheme}://127.0.0.3`);
    expect(emulator.siteUrl).toBe(`${scheme}://127.0.0.3/portal`);
    if (scheme === 'https') return;
    const { id_token, instance_url, access_token } = await logIn(emulator);
    const claims = JSON.parse(Buffer.from(id_token.split('.')[1]!, 'base64url').toString()) as { iss: string };
    expect([claims.iss, instance_url]).toEqual([emulator.url, emulator.url]);
    expect((await get(`${instance_url}/services/data/v64.0/limits`, access_token)).status).toBe(200);
  });

  it('leaves no other name to move to if it is one address', async () => {
    const emulator = await startTestEmulator({ host: '127.0.0.2' });
    await logIn(emulator);

    expect(() => emulator.moveInstance()).toThrow(`The emulator has only the name ${emulator.url}.`);
    expect(emulator.liveTokens().accessTokens).toBe(1);
  });

  it('is in the certificate', async () => {
    const emulator = await startTestEmulator({ host: '127.0.0.2', https: true });
    const authorizeUrl = `${emulator.url}/services/oauth2/authorize?client_id=unknown`;

    // A page without a form is an answer over TLS; an untrusted certificate would be another error.
    await expect(emulator.logIn({ authorizeUrl })).rejects.toThrow('The page has no form');
  });
});

describe('moveInstance()', () => {
  it('refuses an organization that does not exist, and moves none', async () => {
    const emulator = await startTestEmulator();
    await logIn(emulator);

    expect(() => emulator.moveInstance(undefined, '00D000000000000AAA')).toThrow(
      'The emulator has no organization 00D000000000000AAA.',
    );
    expect(emulator.liveTokens().accessTokens).toBe(1);
  });
});
