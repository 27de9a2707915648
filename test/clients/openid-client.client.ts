import { logInFor, startProgram } from './support';

describe('openid-client', () => {
  it('discovery, login with PKCE and nonce, userinfo, refresh, introspection and revocation over TLS', async () => {
    const scene = await startProgram('openid-client', { https: true });
    const { emulator } = scene;
    const { userId, organizationId, username } = emulator.users[0]!;

    expect(await logInFor(scene)).toEqual({
      subject: `${emulator.url}/id/${organizationId}/${userId}`,
      username,
      isRefreshed: true,
      active: [true, false],
    });
  });
});
