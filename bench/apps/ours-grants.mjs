/** This package with many grants whose tokens have ended. Requests name a grant instead of a session. */
import express from 'express';
import { MemoryTokenStore, salesforceAuth } from '../../dist/index.mjs';
import { grantIdOf, payloadOf, writeOf } from '../lib/grants.mjs';
import { secret } from '../lib/provider.mjs';

export async function create({ providerUrl, grants, userIdOf }) {
  const store = new MemoryTokenStore();
  for (let index = 0; index < grants; index++) {
    const userId = `${userIdOf}${String(index).padStart(12, '0')}AAA`;
    // With `expires_in`, the end of a token is certain. Without it, this package would still serve the token.
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
