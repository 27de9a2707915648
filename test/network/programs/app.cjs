'use strict';
/** An application as a process of its own, set up as in production: `node app.cjs <lib as JavaScript>`. */
const { join } = require('node:path');
const cookieSession = require('cookie-session');
const express = require('express');
const { createClient } = require('redis');

const library = process.argv[2];
const { salesforceAuth, requireSalesforce } = require(join(library, 'index.js'));
const { RedisTokenStore } = require(join(library, 'stores/redis.js'));

const calls = {
  /** Answers with the address at which it listens. */
  async start({ options, port, redisUrl, origin }) {
    const app = express();
    const url = `http://localhost:${port}`;
    const redis = redisUrl && (await createClient({ url: redisUrl }).connect());
    const salesforce = salesforceAuth({
      ...options,
      ...(redis ? { store: new RedisTokenStore({ client: redis }) } : {}),
      callbackURL: `${origin ?? url}/auth/salesforce/callback`,
    });
    app.use(cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }), salesforce);
    app.get('/accounts', requireSalesforce(), async (req, res) => {
      const reply = await req.salesforce.fetch('/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Account');
      res.json(await reply.json());
    });
    app.get('/jsforce', requireSalesforce(), async (req, res) => {
      const connection = await req.salesforce.connection({ version: '62.0' });
      res.json(await connection.query('SELECT Id FROM Account'));
    });
    app.get('/doctor', async (_req, res) => res.json(await salesforce.diagnose()));
    app.post('/echo', (_req, res) => res.json({ pid: process.pid }));
    app.get('/never', () => process.send({ news: 'never' }));
    // eslint-disable-next-line no-unused-vars -- Express knows an error handler by its four parameters
    app.use((error, _req, res, _next) => res.status(error.status ?? 500).json({ code: error.code ?? error.message }));
    // Last: a request that comes earlier would find no route.
    const server = app.listen(port, '127.0.0.1');
    await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
    process.on('SIGTERM', () => {
      process.send({ news: 'closing' });
      void salesforce.shutdown(server).then(() => process.exit(0));
    });
    return url;
  },
};

process.on('message', async ({ call, name, ...given }) => {
  process.send({ answer: call, value: await calls[name](given) });
});
process.on('disconnect', () => process.exit());
process.send({ news: 'ready' });
