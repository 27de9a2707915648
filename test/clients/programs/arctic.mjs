/** A login with arctic, as its page on Salesforce has it; https://arcticjs.dev/providers/salesforce */
import { createInterface } from 'node:readline';
import * as arctic from 'arctic';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const salesforce = new arctic.Salesforce(new URL(SALESFORCE_URL).host, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL);
const codeVerifier = arctic.generateCodeVerifier();
const scopes = ['openid', 'api', 'refresh_token'];
const authorizeUrl = salesforce.createAuthorizationURL(arctic.generateState(), codeVerifier, scopes);
console.log(JSON.stringify({ authorizeUrl: authorizeUrl.href }));

const { callbackURL } = JSON.parse((await lines.next()).value);
const code = new URL(callbackURL).searchParams.get('code');
const tokens = await salesforce.validateAuthorizationCode(code, codeVerifier);
const claims = arctic.decodeIdToken(tokens.idToken());
const refreshed = await salesforce.refreshAccessToken(tokens.refreshToken());
await salesforce.revokeToken(refreshed.accessToken());
console.log(
  JSON.stringify({
    subject: claims.sub,
    isRefreshed: refreshed.accessToken() !== tokens.accessToken(),
    accessToken: refreshed.accessToken(),
  }),
);
