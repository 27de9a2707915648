/**
 * The pattern of google-auth-library: one client for each user and process. The client refreshes once for all waiting
 * requests.
 */
import { OAuth2Client } from 'google-auth-library';
import { byHand } from './by-hand.mjs';

export { loginPath } from './by-hand.mjs';

export function create(given) {
  const { client, emulatorUrl } = given;
  const clients = new Map();
  return byHand(given, async (req, force) => {
    const { accessToken, refreshToken, expiresAt } = req.session.tokens;
    let user = clients.get(req.sessionID);
    if (!user) {
      user = new OAuth2Client({
        clientId: client.clientID,
        clientSecret: client.clientSecret,
        endpoints: { oauth2TokenUrl: `${emulatorUrl}/services/oauth2/token` },
        eagerRefreshThresholdMillis: 0,
      });
      user.setCredentials({ access_token: accessToken, refresh_token: refreshToken, expiry_date: expiresAt });
      clients.set(req.sessionID, user);
    }
    try {
      if (force) await user.refreshAccessToken();
      const { token } = await user.getAccessToken();
      const { credentials } = user;
      if (token !== accessToken) {
        const { refresh_token: fresh, expiry_date: until } = credentials;
        req.session.tokens = { ...req.session.tokens, accessToken: token, refreshToken: fresh, expiresAt: until };
      }
      return { accessToken: token };
    } catch {
      throw Object.assign(new Error('The refresh failed.'), { status: 401 });
    }
  });
}
