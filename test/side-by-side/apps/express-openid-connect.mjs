/** express-openid-connect: the session and the tokens in its cookie. It refreshes if Salesforce refuses the access token. */
import express from 'express';
import openid from 'express-openid-connect';
import { callApi, serve } from './serve.mjs';

await serve(({ url, salesforceUrl, clientID, clientSecret }) => {
  const app = express();
  app.use(
    openid.auth({
      baseURL: url,
      clientID,
      clientSecret,
      issuerBaseURL: salesforceUrl,
      secret: 'only for this test, and long enough',
      authRequired: false,
      clientAuthMethod: 'client_secret_post',
      authorizationParams: { response_type: 'code', scope: 'openid id api refresh_token' },
    }),
  );
  app.get('/limits', openid.requiresAuth(), async (req, res) => {
    let reply = await callApi(salesforceUrl, req.oidc.accessToken.access_token);
    if (reply.status === 401) {
      const { access_token: accessToken } = await req.oidc.accessToken.refresh();
      reply = await callApi(salesforceUrl, accessToken);
    }
    res.status(reply.status).json(await reply.json());
  });
  return app;
});
