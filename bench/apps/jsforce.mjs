/** jsforce, following its documentation for web applications: a Connection per request, with its default refresh. */
import jsforce from 'jsforce';
import { byHand } from './by-hand.mjs';

export { loginPath } from './by-hand.mjs';

export function create(given) {
  const { url, client, emulatorUrl } = given;
  const oauth2 = new jsforce.OAuth2({
    loginUrl: emulatorUrl,
    clientId: client.clientID,
    clientSecret: client.clientSecret,
    redirectUri: `${url}/callback`,
  });
  return byHand(given, async (req, force) => {
    const { accessToken, refreshToken, instanceUrl } = req.session.tokens;
    const connection = new jsforce.Connection({ oauth2, accessToken, refreshToken, instanceUrl });
    let refused;
    connection.on('refresh', (fresh, reply) => {
      req.session.tokens = { accessToken: fresh, refreshToken: reply?.refresh_token ?? refreshToken, instanceUrl };
    });
    try {
      if (force) await connection.oauth2.refreshToken(refreshToken);
      // It knows no expiry: what tells it that a token has ended is a call that is refused.
      else await connection.request('/services/data/v62.0/limits');
    } catch (error) {
      refused = error;
    }
    if (refused) throw Object.assign(new Error('The refresh failed.'), { status: 401 });
    return { accessToken: connection.accessToken };
  });
}
