import { isSalesforceAuthError } from '../../lib';
import { startEmulator, type EmulatorOptions } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';

const callbackURLs = ['http://localhost:3000/auth/salesforce/callback'];

describe('a mistake in the options of startEmulator()', () => {
  it.each<[string, object, string]>([
    ['a misspelt name', { callbackURLs, prot: 4400 }, "startEmulator() has no option 'prot'. Did you mean 'port'?"],
    [
      'a misspelt switch',
      { callbackURLs, policy: { rotateRefreshToken: true } },
      "startEmulator() has no option 'policy.rotateRefreshToken'. Did you mean 'policy.rotateRefreshTokens'?",
    ],
    [
      'a switch outside of policy',
      { callbackURLs, requirePkce: false },
      "startEmulator() has no option 'requirePkce'. Did you mean 'policy.requirePkce'?",
    ],
    ['one URL instead of a list', { callbackURLs: callbackURLs[0] }, 'callbackURLs must be an array of URLs'],
    ['no URL', {}, 'callbackURLs must be an array of URLs'],
    ['a port that is a text', { callbackURLs, port: '4400' }, 'port must be a whole number from 0 to 65535'],
    ['a port of none', { callbackURLs, apiPort: 65_536 }, 'apiPort must be a whole number from 0 to 65535'],
    ['an app of another age', { callbackURLs, app: 'modern' }, "app must be one of 'current', 'legacy'"],
    ['no requests', { callbackURLs, maxRequests: 0 }, 'maxRequests must be a whole number from 1'],
  ])('is told: %s', async (_what, options, message) => {
    const error: unknown = await startEmulator(options as EmulatorOptions).then(
      (emulator) => emulator.stop(),
      (failure: unknown) => failure,
    );

    expect(error).toBeInstanceOf(TypeError);
    expect(isSalesforceAuthError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  it('is told for a switch of a client that is registered or changed later, and the client stays as it is', async () => {
    const emulator = await startTestEmulator();
    const [client] = emulator.clients;
    const before = { ...client!.policy };
    const sentence = "has no option 'blockd'. Did you mean 'blocked'?";

    expect(() => emulator.setPolicy(client!.clientID, { blockd: true } as never)).toThrow(`setPolicy() ${sentence}`);
    expect(() => emulator.registerClient({ callbackURLs, policy: { blockd: true } as never })).toThrow(
      `registerClient() ${sentence}`,
    );
    expect(client!.policy).toEqual(before);
    expect(emulator.clients).toHaveLength(1);
  });

  it('is not that maxRequests is Infinity', async () => {
    const emulator = await startTestEmulator({ maxRequests: Infinity });

    await fetch(`${emulator.url}/services/data`);

    expect(emulator.requests).toHaveLength(1);
  });
});
