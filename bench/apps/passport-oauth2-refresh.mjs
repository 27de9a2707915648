/** passport-oauth2-refresh, called if the stored token has expired, following its README. */
import OAuth2Strategy from 'passport-oauth2';
import refresh from 'passport-oauth2-refresh';
import { byHand, stored } from './by-hand.mjs';

export { loginPath } from './by-hand.mjs';

export function create(given) {
  const { url, client, emulatorUrl } = given;
  const strategy = new OAuth2Strategy(
    {
      authorizationURL: `${emulatorUrl}/services/oauth2/authorize`,
      tokenURL: `${emulatorUrl}/services/oauth2/token`,
      clientID: client.clientID,
      clientSecret: client.clientSecret,
      callbackURL: `${url}/callback`,
    },
    () => undefined,
  );
  refresh.use('salesforce', strategy);
  return byHand(given, async (req, force) => {
    const { tokens } = req.session;
    if (!force && Date.now() < tokens.expiresAt) return tokens;
    req.session.tokens = await new Promise((resolve, reject) => {
      refresh.requestNewAccessToken('salesforce', tokens.refreshToken, (error, accessToken, refreshToken, params) => {
        if (error) reject(Object.assign(new Error('The refresh failed.'), { status: 401 }));
        else resolve(stored({ refresh_token: refreshToken ?? tokens.refreshToken, ...params }));
      });
    });
    return req.session.tokens;
  });
}
