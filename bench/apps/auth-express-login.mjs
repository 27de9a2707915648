/** Auth.js, logging in: its sign-in is a form with a token against forgery, which a page of ours sends on. */
import express from 'express';
import { ExpressAuth } from '@auth/express';
import { configuration } from './auth-express.mjs';

export const loginPath = '/login';

export function create(given) {
  const app = express();
  app.set('trust proxy', true);
  // A browser would fetch the token and post the form; one redirect does both for a script.
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
