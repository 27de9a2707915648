import { betterAuth } from 'better-auth';
import { fromNodeHeaders } from 'better-auth/node';
import express from 'express';
import session from 'express-session';
import { requiresLogin, requireSalesforce, salesforceAuth } from 'express-salesforce-auth';

export function createApp({ url, clientID, clientSecret, callbackURL, baseUrl, database }) {
  const app = express();
  app.use(session({ secret: 'keyboard cat', resave: false, saveUninitialized: false }));
  app.use(salesforceAuth({ clientID, clientSecret, callbackURL, baseUrl, scope: 'openid id api refresh_token' }));
  // From here to the next comment: for users with a session of better-auth. Take it out when those sessions have ended.
  const auth = betterAuth({ baseURL: url, secret: 'keyboard cat, of 32 characters or more', database });
  app.use(async (req, res, next) => {
    if (req.salesforce.isAuthenticated) return next();
    const old = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) });
    if (!old) return next();
    const { internalAdapter } = await auth.$context;
    const accounts = await internalAdapter.findAccounts(old.user.id);
    const { refreshToken } = accounts.find(({ providerId }) => providerId === 'salesforce') ?? {};
    try {
      if (refreshToken) await req.salesforce.adopt({ refreshToken });
    } catch (error) {
      if (!requiresLogin(error)) return next(error);
    }
    await internalAdapter.deleteSession(old.session.token);
    next();
  });
  // The application.
  app.get('/accounts', requireSalesforce(), async (req, res) => {
    const reply = await req.salesforce.fetch('/services/data/v68.0/query?q=SELECT+Name+FROM+Account');
    res.status(reply.status).json(await reply.json());
  });
  return app;
}
