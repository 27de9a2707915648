/** A login without a library, with the tokens in the session. Libraries that only refresh build on it. */
import express from 'express';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/login';

/**
 * @param refreshed returns the tokens of the session, and refreshes stale tokens first; with `force`, refreshes all tokens
 */
export async function byHand(given, refreshed) {
  const { url, client, emulatorUrl } = given;
  const callback = `${url}/callback`;
  const app = express();
  app.use(await sessionMiddleware(given));
  app.get('/login', (_req, res) => {
    const params = { response_type: 'code', client_id: client.clientID, redirect_uri: callback, prompt: 'login' };
    const scope = 'openid id api refresh_token';
    res.redirect(`${emulatorUrl}/services/oauth2/authorize?${new URLSearchParams({ ...params, scope })}`);
  });
  app.get('/callback', async (req, res) => {
    const { clientID: client_id, clientSecret: client_secret } = client;
    const body = { grant_type: 'authorization_code', code: req.query.code, redirect_uri: callback };
    const reply = await fetch(`${emulatorUrl}/services/oauth2/token`, {
      method: 'POST',
      body: new URLSearchParams({ ...body, client_id, client_secret }),
    });
    req.session.tokens = stored(await reply.json());
    res.redirect('/');
  });
  const answer = (force) => async (req, res) => {
    if (!req.session.tokens) {
      res.status(401).end();
      return;
    }
    const { accessToken } = await refreshed(req, force);
    res.json({ length: accessToken.length });
  };
  app.get('/token', answer(false));
  app.get('/probe', answer(true));
  return app;
}

/** The part of a token reply that is stored. */
export function stored({
  access_token: accessToken,
  refresh_token: refreshToken,
  instance_url: instanceUrl,
  expires_in,
}) {
  return { accessToken, refreshToken, instanceUrl, expiresAt: Date.now() + (expires_in ?? 7200) * 1000 };
}
