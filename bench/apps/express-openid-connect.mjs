/** express-openid-connect: session and tokens in an encrypted cookie. */
import express from 'express';
import openid from 'express-openid-connect';

const { auth, requiresAuth } = openid;

export const loginPath = '/login';

export function create({ url, client, emulatorUrl }) {
  const app = express();
  app.use(
    auth({
      baseURL: url,
      clientID: client.clientID,
      clientSecret: client.clientSecret,
      issuerBaseURL: emulatorUrl,
      secret: 'bench only, long enough for a key derived from it',
      authRequired: false,
      clientAuthMethod: 'client_secret_post',
      authorizationParams: { response_type: 'code', scope: 'openid id api refresh_token', prompt: 'login' },
    }),
  );
  app.get('/token', requiresAuth(), async (req, res) => {
    // Follows its EXAMPLES.md, section "Obtaining and using refresh tokens".
    let { access_token: accessToken, isExpired, refresh } = req.oidc.accessToken;
    if (isExpired()) ({ access_token: accessToken } = await refresh());
    res.json({ length: accessToken.length });
  });
  app.get('/probe', requiresAuth(), async (req, res) => {
    const { access_token: accessToken } = await req.oidc.accessToken.refresh();
    res.json({ accessToken });
  });
  return app;
}
