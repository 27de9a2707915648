import { logInFor, startProgram } from './support';

describe('arctic', () => {
  it('login with PKCE, ID token, refresh and revocation over TLS', async () => {
    const scene = await startProgram('arctic', { https: true });
    const { emulator } = scene;

    const result = await logInFor(scene);

    expect(result).toMatchObject({ isRefreshed: true });
    expect(String(result['subject'])).toContain(emulator.users[0]!.userId);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
});
