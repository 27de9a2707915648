/** A login with openid-client, as its README has it; https://github.com/panva/openid-client */
import { createInterface } from 'node:readline';
import * as client from 'openid-client';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const config = await client.discovery(new URL(SALESFORCE_URL), CLIENT_ID, CLIENT_SECRET);
const pkceCodeVerifier = client.randomPKCECodeVerifier();
const expectedState = client.randomState();
const expectedNonce = client.randomNonce();
const authorizeUrl = client.buildAuthorizationUrl(config, {
  redirect_uri: CALLBACK_URL,
  scope: 'openid api refresh_token',
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  state: expectedState,
  nonce: expectedNonce,
});
console.log(JSON.stringify({ authorizeUrl: authorizeUrl.href }));

const { callbackURL } = JSON.parse((await lines.next()).value);
const checks = { pkceCodeVerifier, expectedState, expectedNonce };
const tokens = await client.authorizationCodeGrant(config, new URL(callbackURL), checks);
const claims = tokens.claims();
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
const before = await client.tokenIntrospection(config, refreshed.access_token);
await client.tokenRevocation(config, refreshed.access_token);
const after = await client.tokenIntrospection(config, refreshed.access_token);
console.log(
  JSON.stringify({
    subject: claims.sub,
    username: userinfo.preferred_username,
    isRefreshed: refreshed.access_token !== tokens.access_token,
    active: [before.active, after.active],
  }),
);
