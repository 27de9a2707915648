import { Connection, OAuth2 } from 'jsforce';
import { startTestEmulator } from '../helpers/emulator';
import { takeViolations } from '../helpers/oracle';
import { logInByHand } from '../tokens/before';

/* What docs/guide/integrations.md says of a Connection with a refresh token of its own. */

describe('a Connection of jsforce', () => {
  it('keeps a spent refresh token and presents it again', async () => {
    const emulator = await startTestEmulator({
      callbackURLs: ['http://localhost:3000/cb'],
      policy: { rotateRefreshTokens: true },
    });
    const { clientID, clientSecret } = emulator.clients[0]!;
    const tokens = await logInByHand(emulator, emulator.clients[0]!);
    const oauth2 = new OAuth2({ loginUrl: emulator.url, clientId: clientID, clientSecret });
    const connection = new Connection({ oauth2, instanceUrl: emulator.url, ...tokens });
    const limits = () => connection.request('/services/data/v62.0/limits');

    emulator.expireAccessTokens();
    await limits();
    expect(connection.refreshToken).toBe(tokens.refreshToken);
    emulator.expireAccessTokens();

    await expect(limits()).rejects.toThrow('expired access/refresh token');
    expect(takeViolations(emulator).map(({ kind }) => kind)).toEqual(['spent']);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
