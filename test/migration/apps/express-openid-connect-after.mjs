import express from 'express';
import openid from 'express-openid-connect';
import session from 'express-session';
import { requiresLogin, requireSalesforce, salesforceAuth } from 'express-salesforce-auth';

export function createApp({ url, clientID, clientSecret, baseUrl }) {
  const app = express();
  app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }));
  app.use(
    salesforceAuth({
      clientID,
      clientSecret,
      baseUrl,
      callbackURL: `${url}/callback`, // as it is registered in Salesforce
      scope: 'openid id api refresh_token',
      allowedOrganizations: 'any',
      encryptionKeys: [process.env.TOKEN_KEY],
    }),
  );
  // From here to the next comment: for users whose browsers have the old cookie. Take it out when those cookies have ended.
  app.use(
    openid.auth({
      baseURL: url,
      clientID,
      clientSecret,
      issuerBaseURL: baseUrl,
      secret: 'keyboard cat, and a little longer',
      authRequired: false,
      routes: { login: false, logout: false },
      authorizationParams: { response_type: 'code' },
    }),
  );
  app.use(async (req, res, next) => {
    const { refreshToken } = req.oidc;
    if (!refreshToken || req.salesforce.isAuthenticated) return next();
    try {
      await req.salesforce.adopt({ refreshToken });
    } catch (error) {
      if (!requiresLogin(error)) return next(error);
    }
    req.appSession = undefined;
    next();
  });
  // The application.
  app.get('/accounts', requireSalesforce(), async (req, res) => {
    const reply = await req.salesforce.fetch('/services/data/v68.0/query?q=SELECT+Name+FROM+Account');
    res.status(reply.status).json({ user: req.salesforce.user.userId, reply: await reply.json() });
  });
  return app;
}
