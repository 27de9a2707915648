/** This package, as its README has it. */
import express from 'express';
import session from 'express-session';
import { requireSalesforce, salesforceAuth } from '../../../dist/index.mjs';
import { serve } from './serve.mjs';

await serve(({ url, salesforceUrl, clientID, clientSecret }) => {
  const app = express();
  app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }));
  const callbackURL = `${url}/callback`;
  const scope = 'id api refresh_token';
  app.use(
    salesforceAuth({
      ...{ clientID, clientSecret, baseUrl: salesforceUrl, callbackURL, scope },
      ...{ encryptionKeys: false, allowedOrganizations: 'any', routes: { login: '/login' } },
    }),
  );
  app.get('/limits', requireSalesforce(), async (req, res) => {
    const reply = await req.salesforce.fetch('/services/data/v62.0/limits');
    res.status(reply.status).json(await reply.json());
  });
  return app;
});
