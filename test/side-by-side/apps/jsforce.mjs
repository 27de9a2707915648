/** jsforce by hand: its OAuth2 for the login, and a Connection for each request. It keeps the rotated refresh token. */
import express from 'express';
import session from 'express-session';
import jsforce from 'jsforce';
import { serve } from './serve.mjs';

await serve(({ url, salesforceUrl, clientID, clientSecret }) => {
  const app = express();
  app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }));
  const oauth2 = new jsforce.OAuth2({
    loginUrl: salesforceUrl,
    clientId: clientID,
    clientSecret,
    redirectUri: `${url}/callback`,
  });
  app.get('/login', (_req, res) => res.redirect(oauth2.getAuthorizationUrl({ scope: 'id api refresh_token' })));
  app.get('/callback', async (req, res) => {
    const connection = new jsforce.Connection({ oauth2 });
    await connection.authorize(req.query.code);
    const { accessToken, refreshToken, instanceUrl } = connection;
    req.session.tokens = { accessToken, refreshToken, instanceUrl };
    res.redirect('/');
  });
  app.get('/limits', async (req, res) => {
    if (!req.session.tokens) return res.sendStatus(401);
    const connection = new jsforce.Connection({ oauth2, ...req.session.tokens });
    connection.on('refresh', (accessToken, reply) => {
      const refreshToken = reply.refresh_token ?? req.session.tokens.refreshToken;
      req.session.tokens = { ...req.session.tokens, accessToken, refreshToken };
    });
    res.json(await connection.request('/services/data/v62.0/limits'));
  });
  return app;
});
