/** A login with Auth.js; https://authjs.dev/reference/express */
import { ExpressAuth, getSession } from '@auth/express';
import Salesforce from '@auth/express/providers/salesforce';
import express from 'express';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;

const config = {
  providers: [Salesforce({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, issuer: SALESFORCE_URL })],
  secret: '__fake_session_secret_of_32_characters__',
  trustHost: true,
};
const app = express();
// It reads the first parameter of the path, which has a name in the paths of Express 5, but not in a pattern.
app.use(/^\/auth\/(.*)/, ExpressAuth(config));
app.get('/me', async (req, res) => res.json(await getSession(req, config)));
const server = app.listen(Number(new URL(CALLBACK_URL).port), () =>
  console.log(JSON.stringify({ listening: server.address().port })),
);
