import { betterAuth } from 'better-auth';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import express from 'express';

export function createApp({ url, clientID, clientSecret, callbackURL, baseUrl, database }) {
  const auth = betterAuth({
    baseURL: url,
    secret: 'keyboard cat, of 32 characters or more',
    database,
    socialProviders: {
      salesforce: {
        clientId: clientID,
        clientSecret,
        loginUrl: new URL(baseUrl).host,
        redirectURI: callbackURL,
        scope: ['id', 'api', 'refresh_token'],
      },
    },
  });
  const app = express();
  app.all('/api/auth/*splat', toNodeHandler(auth));
  app.get('/accounts', async (req, res) => {
    const headers = fromNodeHeaders(req.headers);
    if (!(await auth.api.getSession({ headers }))) return res.sendStatus(401);
    const [{ id: accountId }] = await auth.api.listUserAccounts({ headers });
    const { accessToken } = await auth.api.getAccessToken({ body: { accountId }, headers });
    const reply = await fetch(`${baseUrl}/services/data/v68.0/query?q=SELECT+Name+FROM+Account`, {
      headers: { authorization: `Bearer ${accessToken}` },
    });
    res.status(reply.status).json(await reply.json());
  });
  return app;
}
