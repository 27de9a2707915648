/** A login with passport-forcedotcom; https://github.com/joshbirk/passport-forcedotcom */
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import forcedotcom from 'passport-forcedotcom';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;

passport.use(
  new forcedotcom.Strategy(
    {
      clientID: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      scope: ['id', 'api', 'refresh_token'],
      callbackURL: CALLBACK_URL,
      authorizationURL: `${SALESFORCE_URL}/services/oauth2/authorize`,
      tokenURL: `${SALESFORCE_URL}/services/oauth2/token`,
    },
    (token, _refreshToken, profile, done) =>
      done(null, { username: profile._raw.username, isToken: Boolean(token.params.access_token) }),
  ),
);
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));

const app = express();
app.use(session({ secret: '__fake_session_secret__', resave: false, saveUninitialized: false }));
app.use(passport.session());
app.get('/login', passport.authenticate('forcedotcom'));
app.get('/callback', passport.authenticate('forcedotcom', { failWithError: true }), (_req, res) => res.redirect('/'));
app.get('/me', (req, res) => res.json(req.user ?? null));
const server = app.listen(Number(new URL(CALLBACK_URL).port), () =>
  console.log(JSON.stringify({ listening: server.address().port })),
);
