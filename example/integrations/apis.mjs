// @ts-check
/** SOQL, REST, Composite and Bulk API 2.0 with `req.salesforce.fetch()`, which adds a valid token to each request. */
import { createServer } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import express from 'express';
import { configurationFromEnv, requireSalesforce, salesforceApiError, salesforceAuth } from 'express-salesforce-auth';
import { serve, sessions } from './common.mjs';

const salesforce = salesforceAuth({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
const app = express();
app.use(sessions, salesforce, express.json());
app.use(requireSalesforce());

/**
 * The path of the newest API version of the user's organization. The package asks Salesforce once a day.
 *
 * @param {express.Request} req
 */
const dataOf = async (req) => `/services/data/v${await req.salesforce.apiVersion()}`;

/**
 * Calls the API. Throws Salesforce's message if Salesforce refuses the call.
 *
 * @param {express.Request} req
 * @param {string} path
 * @param {RequestInit} [init]
 */
async function call(req, path, init) {
  const reply = await req.salesforce.fetch(path, init);
  if (!reply.ok) throw await salesforceApiError(reply);
  return reply;
}

/**
 * Calls the API and reads the JSON of the answer.
 *
 * @param {Parameters<typeof call>} parameters
 * @returns {Promise<any>}
 */
const callForJson = async (...parameters) => (await call(...parameters)).json();

/** @param {unknown} value */
const json = (value) => ({ body: JSON.stringify(value), headers: { 'content-type': 'application/json' } });

// SOQL, one batch after the other.
app.get('/', async (req, res) => {
  const names = [];
  let next = `${await dataOf(req)}/query?q=${encodeURIComponent('SELECT Name FROM Account ORDER BY Name')}`;
  while (next) {
    const page = await callForJson(req, next);
    for (const { Name } of page.records) names.push(Name);
    next = page.nextRecordsUrl;
  }
  res.json(names);
});

// REST.
app.patch('/accounts/:id', async (req, res) => {
  const { Industry } = req.body;
  const path = `${await dataOf(req)}/sobjects/Account/${encodeURIComponent(req.params.id)}`;
  await call(req, path, { method: 'PATCH', ...json({ Industry }) });
  res.sendStatus(204);
});

// Composite: creates an account and its first contact, or neither.
app.post('/customers', async (req, res) => {
  const { company, lastName } = req.body;
  const data = await dataOf(req);
  const compositeRequest = [
    { method: 'POST', url: `${data}/sobjects/Account`, referenceId: 'account', body: { Name: company } },
    {
      method: 'POST',
      url: `${data}/sobjects/Contact`,
      referenceId: 'contact',
      body: { LastName: lastName, AccountId: '@{account.id}' },
    },
  ];
  const { compositeResponse } = await callForJson(req, `${data}/composite`, {
    method: 'POST',
    ...json({ allOrNone: true, compositeRequest }),
  });
  const failed = compositeResponse.find(
    (/** @type {{ body: { errorCode?: string }[] }} */ { body }) =>
      body[0]?.errorCode && body[0].errorCode !== 'PROCESSING_HALTED',
  );
  if (failed) return res.status(422).json(failed.body[0]);
  const [account, contact] = compositeResponse;
  res.status(201).json({ accountId: account.body.id, contactId: contact.body.id });
});

// Bulk API 2.0, upload: sends CSV from the browser to Salesforce. The CSV is small enough for the memory, so the package can
// send it again with a new token. A stream could not be sent again.
app.post('/contacts.csv', express.text({ type: 'text/csv', limit: '50mb' }), async (req, res) => {
  const data = await dataOf(req);
  const { id } = await callForJson(req, `${data}/jobs/ingest`, {
    method: 'POST',
    ...json({ object: 'Contact', operation: 'insert' }),
  });
  const job = `${data}/jobs/ingest/${id}`;
  await call(req, `${job}/batches`, { method: 'PUT', body: req.body, headers: { 'content-type': 'text/csv' } });
  await call(req, job, { method: 'PATCH', ...json({ state: 'UploadComplete' }) });
  const { numberRecordsProcessed, numberRecordsFailed } = await finished(req, job);
  const failed = await (await call(req, `${job}/failedResults`)).text();
  res.json({ processed: numberRecordsProcessed, failed: numberRecordsFailed, details: failed });
});

// Bulk API 2.0, download: sends each part to the browser as soon as it arrives.
app.get('/contacts.csv', async (req, res) => {
  const data = await dataOf(req);
  const { id } = await callForJson(req, `${data}/jobs/query`, {
    method: 'POST',
    ...json({ operation: 'query', query: 'SELECT LastName, Title FROM Contact' }),
  });
  const job = `${data}/jobs/query/${id}`;
  await finished(req, job);
  res.type('text/csv');
  let locator = '';
  while (locator !== 'null') {
    const part = await call(req, `${job}/results?maxRecords=5${locator && `&locator=${locator}`}`);
    const csv = await part.text();
    // Each part begins with the names of the columns.
    res.write(locator === '' ? csv : csv.slice(csv.indexOf('\n') + 1));
    locator = part.headers.get('sforce-locator') ?? 'null';
  }
  res.end();
});

/**
 * Waits for a job. The job may take longer than the life of a token, because `fetch` refreshes the token.
 *
 * @param {express.Request} req
 * @param {string} job
 */
async function finished(req, job) {
  for (;;) {
    const info = await callForJson(req, job);
    if (info.state === 'JobComplete') return info;
    if (info.state === 'Failed' || info.state === 'Aborted') throw new Error(`The job ended as ${info.state}.`);
    await setTimeout(100);
  }
}

app.use(salesforce.errorHandler());
await serve(createServer(app), salesforce);
