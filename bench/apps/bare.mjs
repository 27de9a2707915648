/** The baseline: only Express. */
import express from 'express';
import { fakeTokens } from './fake-tokens.mjs';

export function create() {
  const app = express();
  app.get('/token', (_req, res) => {
    res.json({ length: fakeTokens.accessToken.length });
  });
  return app;
}
