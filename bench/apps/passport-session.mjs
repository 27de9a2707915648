/** The common way: Passport with the tokens in the session. It refreshes no token. */
import express from 'express';
import { Passport } from 'passport';
import { fakeTokens, fakeUser } from './fake-tokens.mjs';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/login';

export async function create(given) {
  const app = express();
  const passport = new Passport();
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user, done) => done(null, user));
  app.use(await sessionMiddleware(given));
  app.use(passport.session());
  app.get('/login', (req, res, next) => {
    req.login({ ...fakeUser, ...fakeTokens }, (error) => (error ? next(error) : res.status(204).end()));
  });
  app.get('/token', (req, res) => {
    if (req.isAuthenticated()) res.json({ length: req.user.accessToken.length });
    else res.status(401).end();
  });
  return app;
}
