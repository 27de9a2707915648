// @ts-check
/**
 * jsforce without its own refresh. Each `Connection` has a valid token, and gets a new token from this package if the token
 * ends.
 */
import { createServer } from 'node:http';
import express from 'express';
import { configurationFromEnv, requireSalesforce, salesforceAuth } from 'express-salesforce-auth';
import { serve, sessions } from './common.mjs';

const salesforce = salesforceAuth({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
const app = express();
app.use(sessions, salesforce);

app.get('/', requireSalesforce(), async (req, res) => {
  const connection = await req.salesforce.connection();
  const { records } = await connection.query('SELECT Id, Name FROM Account ORDER BY Name', { autoFetch: true });
  res.json(records.map(({ Name }) => Name));
});

app.post('/contacts', requireSalesforce(), express.json(), async (req, res) => {
  const connection = await req.salesforce.connection();
  const { LastName, Title } = req.body;
  const created = await connection.sobject('Contact').create({ LastName, Title });
  res.status(201).json(created);
});

app.use(salesforce.errorHandler());
await serve(createServer(app), salesforce);
