/**
 * better-auth on PostgreSQL. The account with its tokens is a row. It uses the plugin for generic providers, because the
 * Salesforce provider of better-auth supports https only. Both providers refresh with the same function.
 */
import { betterAuth } from 'better-auth';
import { getMigrations } from 'better-auth/db/migration';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import { genericOAuth } from 'better-auth/plugins';
import express from 'express';
import pg from 'pg';

export const loginPath = '/login';

export async function create({ url, client, emulatorUrl, postgresUrl }) {
  const oauth2 = `${emulatorUrl}/services/oauth2`;
  const options = {
    baseURL: url,
    secret: 'bench only, long enough for a key derived from it',
    database: new pg.Pool({ connectionString: postgresUrl }),
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    // The processes share one address, as behind a load balancer.
    trustedOrigins: ['http://localhost:*'],
    advanced: { disableCSRFCheck: true },
    plugins: [
      genericOAuth({
        config: [
          {
            providerId: 'salesforce',
            clientId: client.clientID,
            clientSecret: client.clientSecret,
            authorizationUrl: `${oauth2}/authorize`,
            tokenUrl: `${oauth2}/token`,
            userInfoUrl: `${oauth2}/userinfo`,
            scopes: ['openid', 'email', 'profile', 'api', 'refresh_token'],
            prompt: 'login',
            pkce: true,
            getUserInfo: async ({ accessToken }) => {
              const answer = await fetch(`${oauth2}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } });
              const { user_id: id, email, name } = await answer.json();
              return { id, email, name, emailVerified: true };
            },
          },
        ],
      }),
    ],
  };
  const auth = betterAuth(options);
  await (await getMigrations(options)).runMigrations();

  const app = express();
  app.get('/login', async (_req, res) => {
    const answer = await auth.api.signInSocial({
      body: { provider: 'salesforce', callbackURL: url },
      asResponse: true,
    });
    const { url: location } = await answer.json();
    res.setHeader('set-cookie', answer.headers.getSetCookie());
    res.redirect(location);
  });
  app.all('/api/auth/*rest', toNodeHandler(auth));

  /** Follows its documentation: finds the user's account, then asks for a token of the account. */
  const accountOf = async (headers) => {
    const [account] = await auth.api.listUserAccounts({ headers });
    return { accountId: account.id };
  };
  app.get('/token', async (req, res) => {
    const headers = fromNodeHeaders(req.headers);
    const { accessToken } = await auth.api.getAccessToken({ body: await accountOf(headers), headers });
    res.json({ length: accessToken.length });
  });
  app.get('/probe', async (req, res) => {
    const headers = fromNodeHeaders(req.headers);
    const { accessToken } = await auth.api.refreshToken({ body: await accountOf(headers), headers });
    res.json({ accessToken });
  });
  // Its errors have the name of a status. Express needs the number.
  app.use((error, _req, _res, next) =>
    next(Object.assign(new Error(error.message), { status: error.statusCode ?? 500 })),
  );
  return app;
}
