/** iron-session: tokens in a sealed cookie. It refreshes no token. */
import express from 'express';
import { getIronSession } from 'iron-session';
import { fakeTokens, fakeUser } from './fake-tokens.mjs';

export const loginPath = '/login';

const options = {
  cookieName: 'iron',
  password: 'bench only, at least thirty-two characters',
  cookieOptions: { secure: false },
};

export function create() {
  const app = express();
  app.get('/login', async (req, res) => {
    const session = await getIronSession(req, res, options);
    Object.assign(session, { user: fakeUser, tokens: fakeTokens });
    await session.save();
    res.status(204).end();
  });
  app.get('/token', async (req, res) => {
    const { tokens } = await getIronSession(req, res, options);
    if (tokens) res.json({ length: tokens.accessToken.length });
    else res.status(401).end();
  });
  return app;
}
