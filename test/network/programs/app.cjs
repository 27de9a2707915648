'use strict';
/** An application as a process of its own, which knows nothing of a proxy: `node app.cjs <lib as JavaScript>`. */
const { join } = require('node:path');
const express = require('express');
const session = require('express-session');

const { salesforceAuth, requireSalesforce } = require(join(process.argv[2], 'index.js'));

const calls = {
  /** Answers with the port. Its callback has to be registered then. */
  async start({ options }) {
    const app = express();
    const server = app.listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const url = `http://localhost:${server.address().port}`;
    const salesforce = salesforceAuth({ ...options, callbackURL: `${url}/auth/salesforce/callback` });
    app.use(session({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }), salesforce);
    app.get('/accounts', requireSalesforce(), async (req, res) => {
      const reply = await req.salesforce.fetch('/services/data/v62.0/query?q=SELECT+Id,Name+FROM+Account');
      res.json(await reply.json());
    });
    app.get('/jsforce', requireSalesforce(), async (req, res) => {
      const connection = await req.salesforce.connection({ version: '62.0' });
      res.json(await connection.query('SELECT Id FROM Account'));
    });
    app.get('/doctor', async (_req, res) => res.json(await salesforce.diagnose()));
    return url;
  },
};

process.on('message', async ({ call, name, ...given }) => {
  process.send({ answer: call, value: await calls[name](given) });
});
process.on('disconnect', () => process.exit());
process.send({ news: 'ready' });
