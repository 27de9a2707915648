/** Auth.js with a login. Its sign-in is a form with a CSRF token; a route of this application submits the form. */
import express from 'express';
import { ExpressAuth } from '@auth/express';
import { configuration } from './auth-express.mjs';

export const loginPath = '/login';

export function create(given) {
  const app = express();
  app.set('trust proxy', true);
  // A browser would fetch the token and send the form. For a script, one redirect does both.
  app.get('/login', async (_req, res) => {
    const csrf = await fetch(`${given.url}/auth/csrf`);
    const { csrfToken } = await csrf.json();
    const cookies = csrf.headers.getSetCookie();
    const start = await fetch(`${given.url}/auth/signin/salesforce`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: cookies.map((line) => line.split(';')[0]).join('; ') },
      body: new URLSearchParams({ csrfToken, callbackUrl: given.url }),
    });
    res.setHeader('set-cookie', [...cookies, ...start.headers.getSetCookie()]);
    res.redirect(start.headers.get('location'));
  });
  app.use('/auth', ExpressAuth(configuration(given)));
  return app;
}
