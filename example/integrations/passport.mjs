// @ts-check
/** The strategy alone, in an application that uses Passport. It does not refresh tokens; the other files show that. */
import { createServer } from 'node:http';
import express from 'express';
import passport from 'passport';
import { configurationFromEnv } from 'express-salesforce-auth';
import { SalesforceStrategy } from 'express-salesforce-auth/strategy';
import { serve, sessions } from './common.mjs';

passport.use(
  new SalesforceStrategy(
    { ...configurationFromEnv(process.env), callbackURL: '/auth/salesforce/callback', scope: 'openid id' },
    (_accessToken, _refreshToken, _params, profile, done) => {
      // An application finds or creates its own user here.
      done(null, { id: profile.id, name: profile.displayName });
    },
  ),
);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((/** @type {Express.User} */ user, done) => done(null, user));

const app = express();
app.use(sessions, passport.session());
app.get('/auth/salesforce', passport.authenticate('salesforce'));
app.get('/auth/salesforce/callback', passport.authenticate('salesforce', { successRedirect: '/' }));
app.get('/', (req, res) => {
  if (!req.user) return res.redirect('/auth/salesforce');
  res.json(req.user);
});
app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.redirect(303, '/'))));

await serve(createServer(app));
