/** A login with better-auth; https://www.better-auth.com/docs/authentication/salesforce */
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { toNodeHandler } from 'better-auth/node';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;
const { origin, port } = new URL(CALLBACK_URL);

const auth = betterAuth({
  baseURL: origin,
  secret: '__fake_session_secret_of_32_characters__',
  telemetry: { enabled: false },
  socialProviders: {
    salesforce: {
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      loginUrl: new URL(SALESFORCE_URL).host,
      redirectURI: CALLBACK_URL,
    },
  },
});
const server = createServer(toNodeHandler(auth)).listen(Number(port), () =>
  console.log(JSON.stringify({ listening: server.address().port })),
);
