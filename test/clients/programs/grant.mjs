/** A login with grant; https://github.com/simov/grant */
import express from 'express';
import session from 'express-session';
import grant from 'grant';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;

const app = express();
app.use(session({ secret: '__fake_session_secret__', resave: false, saveUninitialized: false }));
app.use(
  grant.express({
    defaults: { origin: new URL(CALLBACK_URL).origin, transport: 'session', state: true },
    salesforce: {
      key: CLIENT_ID,
      secret: CLIENT_SECRET,
      scope: ['openid', 'api', 'refresh_token'],
      redirect_uri: CALLBACK_URL,
      pkce: true,
      nonce: true,
      response: ['tokens', 'profile'],
      callback: '/done',
      authorize_url: `${SALESFORCE_URL}/services/oauth2/authorize`,
      access_url: `${SALESFORCE_URL}/services/oauth2/token`,
      profile_url: `${SALESFORCE_URL}/services/oauth2/userinfo`,
    },
  }),
);
app.get('/me', (req, res) => {
  const { profile, error } = req.session.grant?.response ?? {};
  res.json({ username: profile?.preferred_username, error });
});
const server = app.listen(Number(new URL(CALLBACK_URL).port), () =>
  console.log(JSON.stringify({ listening: server.address().port })),
);
