// @ts-check
/**
 * Streams a file of Salesforce to the browser. The server never holds the whole file, and stops if the browser disconnects.
 */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express from 'express';
import { configurationFromEnv, requireSalesforce, salesforceApiError, salesforceAuth } from 'express-salesforce-auth';
import { serve, sessions } from './common.mjs';

const salesforce = salesforceAuth({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
const data = '/services/data/v68.0';
const app = express();
app.use(sessions, salesforce);

app.get('/', requireSalesforce(), async (req, res) => {
  const query = encodeURIComponent('SELECT Id, Title, ContentSize FROM ContentVersion');
  const reply = await req.salesforce.fetch(`${data}/query?q=${query}`);
  if (!reply.ok) throw await salesforceApiError(reply);
  /** @type {any} */
  const { records } = await reply.json();
  res.json(records.map((/** @type {any} */ { Id, Title }) => ({ title: Title, href: `/files/${Id}` })));
});

app.get('/files/:id', requireSalesforce(), async (req, res) => {
  const id = encodeURIComponent(String(req.params.id));
  const reply = await req.salesforce.fetch(`${data}/sobjects/ContentVersion/${id}/VersionData`);
  if (reply.status === 404) return res.sendStatus(404);
  if (!reply.ok || !reply.body) throw await salesforceApiError(reply);
  // The browser must save the file. If it showed the file, scripts in the file could act in the name of this application.
  res.attachment(id).type('application/octet-stream');
  // If the browser disconnects, the request to Salesforce ends too.
  await pipeline(Readable.fromWeb(reply.body), res).catch((error) => {
    if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
});

app.use(salesforce.errorHandler());
await serve(createServer(app), salesforce);
