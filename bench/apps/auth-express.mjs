/** Auth.js: `getSession()` from an encrypted cookie. */
import { ExpressAuth, getSession } from '@auth/express';
import { encode } from '@auth/core/jwt';
import express from 'express';
import { fakeTokens, fakeUser } from './fake-tokens.mjs';

export const loginPath = '/login';

const cookieName = 'authjs.session-token';
const secret = 'bench only, long enough for a key derived from it';

export function configuration({ client, emulatorUrl }) {
  return {
    secret,
    trustHost: true,
    basePath: '/auth',
    providers: [
      {
        id: 'salesforce',
        name: 'Salesforce',
        type: 'oidc',
        issuer: emulatorUrl,
        clientId: client.clientID,
        clientSecret: client.clientSecret,
        authorization: { params: { scope: 'openid id api refresh_token', prompt: 'login' } },
        client: { token_endpoint_auth_method: 'client_secret_post' },
        checks: ['pkce', 'state', 'nonce'],
      },
    ],
    callbacks: {
      jwt({ token, account }) {
        if (account) token.salesforce = { accessToken: account.access_token, refreshToken: account.refresh_token };
        return token;
      },
      session({ session, token }) {
        return { ...session, salesforce: token.salesforce };
      },
    },
  };
}

export function create(given) {
  const config = configuration(given);
  const app = express();
  app.set('trust proxy', true);
  app.use('/auth', ExpressAuth(config));
  app.get('/login', async (_req, res) => {
    const token = { name: fakeUser.displayName, email: fakeUser.email, sub: fakeUser.userId, salesforce: fakeTokens };
    res.cookie(cookieName, await encode({ token, secret, salt: cookieName }));
    res.status(204).end();
  });
  app.get('/token', async (req, res) => {
    const session = await getSession(req, config);
    if (session) res.json({ length: session.salesforce.accessToken.length });
    else res.status(401).end();
  });
  return app;
}
