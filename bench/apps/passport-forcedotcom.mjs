/** passport-forcedotcom on express-session, following its README. */
import express from 'express';
import { Passport } from 'passport';
import forcedotcom from 'passport-forcedotcom';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/login';

export async function create(given) {
  const { url, client, emulatorUrl } = given;
  const app = express();
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  passport.use(
    new forcedotcom.Strategy(
      {
        clientID: client.clientID,
        clientSecret: client.clientSecret,
        callbackURL: `${url}/callback`,
        authorizationURL: `${emulatorUrl}/services/oauth2/authorize`,
        tokenURL: `${emulatorUrl}/services/oauth2/token`,
        scope: ['id', 'api', 'refresh_token'],
      },
      (token, refreshToken, profile, done) => done(null, { id: profile.id, token: token.params, refreshToken }),
    ),
  );
  app.use(await sessionMiddleware(given));
  app.use(passport.session());
  app.get('/login', passport.authenticate('forcedotcom'));
  app.get('/callback', passport.authenticate('forcedotcom'), (_req, res) => res.redirect('/'));
  return app;
}
