import express from 'express';
import openid from 'express-openid-connect';

export function createApp({ url, clientID, clientSecret, baseUrl }) {
  const app = express();
  app.use(
    openid.auth({
      baseURL: url,
      clientID,
      clientSecret,
      issuerBaseURL: baseUrl,
      secret: 'keyboard cat, and a little longer',
      authRequired: false,
      clientAuthMethod: 'client_secret_post',
      authorizationParams: { response_type: 'code', scope: 'openid id api refresh_token', prompt: 'login' },
      // Salesforce sends no expires_in, and without it there is no req.oidc.accessToken.
      afterCallback: (req, res, tokens) => ({ ...tokens, expires_at: Math.floor(Date.now() / 1000) + 7200 }),
    }),
  );
  app.get('/accounts', openid.requiresAuth(), async (req, res) => {
    const reply = await fetch(`${baseUrl}/services/data/v68.0/query?q=SELECT+Name+FROM+Account`, {
      headers: { authorization: `Bearer ${req.oidc.accessToken.access_token}` },
    });
    res.status(reply.status).json({ user: req.oidc.user.sub, reply: await reply.json() });
  });
  return app;
}
