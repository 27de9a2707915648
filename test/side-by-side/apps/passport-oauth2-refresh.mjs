/** passport-oauth2-refresh, which is asked for a new token if Salesforce refuses the access token. The tokens are in the session. */
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import OAuth2Strategy from 'passport-oauth2';
import refresh from 'passport-oauth2-refresh';
import { callApi, serve } from './serve.mjs';

await serve(({ url, salesforceUrl, clientID, clientSecret }) => {
  const strategy = new OAuth2Strategy(
    {
      authorizationURL: `${salesforceUrl}/services/oauth2/authorize`,
      tokenURL: `${salesforceUrl}/services/oauth2/token`,
      clientID,
      clientSecret,
      callbackURL: `${url}/callback`,
      scope: 'id api refresh_token',
      state: true,
      pkce: true,
    },
    (accessToken, refreshToken, params, _profile, done) =>
      done(null, { accessToken, refreshToken, instanceUrl: params.instance_url }),
  );
  passport.use('salesforce', strategy);
  refresh.use('salesforce', strategy);
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  const app = express();
  app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }));
  app.use(passport.session());
  app.get('/login', passport.authenticate('salesforce'));
  app.get('/callback', passport.authenticate('salesforce', { successRedirect: '/' }));
  app.get('/limits', async (req, res) => {
    if (!req.user) return res.sendStatus(401);
    const { instanceUrl, accessToken, refreshToken } = req.user;
    let reply = await callApi(instanceUrl, accessToken);
    if (reply.status === 401) {
      const fresh = await new Promise((resolve, reject) => {
        refresh.requestNewAccessToken('salesforce', refreshToken, (error, access, rotated) => {
          if (error) reject(Object.assign(new Error('The refresh failed.'), { status: 401 }));
          else resolve({ accessToken: access, refreshToken: rotated ?? refreshToken });
        });
      });
      req.session.passport.user = { ...req.user, ...fresh };
      reply = await callApi(instanceUrl, fresh.accessToken);
    }
    res.status(reply.status).json(await reply.json());
  });
  return app;
});
