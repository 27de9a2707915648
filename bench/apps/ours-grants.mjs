/** This package with many grants whose tokens have ended, asked for by grant rather than by session. */
import express from 'express';
import { MemoryTokenStore, salesforceAuth } from '../../dist/index.mjs';
import { grantIdOf, payloadOf, writeOf } from '../lib/grants.mjs';
import { secret } from '../lib/provider.mjs';

export async function create({ providerUrl, grants, userIdOf }) {
  const store = new MemoryTokenStore();
  for (let index = 0; index < grants; index++) {
    const userId = `${userIdOf}${String(index).padStart(12, '0')}AAA`;
    // A life that is told is certain to have ended; one that is presumed would be served on.
    const changes = { baseUrl: providerUrl, instanceUrl: providerUrl, userId, refreshToken: `${index}.0`, lifeMs: 1 };
    await store.put(grantIdOf(index), writeOf(index, { payload: payloadOf(index, changes), softMs: -2, hardMs: -1 }));
  }
  const salesforce = salesforceAuth({
    clientID: 'bench',
    clientSecret: secret,
    callbackURL: 'http://localhost/callback',
    baseUrl: providerUrl,
    store,
  });
  const app = express();
  app.get('/grant/:index', async (req, res) => {
    const { accessToken } = await salesforce.tokens.get(grantIdOf(Number(req.params.index)));
    res.json({ length: accessToken.length });
  });
  return app;
}
