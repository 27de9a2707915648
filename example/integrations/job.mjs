// @ts-check
/** A job that runs after its request has ended. The job needs only the id of the grant. */
import { createServer } from 'node:http';
import { setImmediate } from 'node:timers';
import express from 'express';
import {
  configurationFromEnv,
  requireSalesforce,
  requiresLogin,
  salesforceApiError,
  salesforceAuth,
} from 'express-salesforce-auth';
import { serve, sessions } from './common.mjs';

const salesforce = salesforceAuth({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
const app = express();
app.use(sessions, salesforce);

/** @typedef {{ grantId: string, state: string, accounts?: number }} Report */

/**
 * @type {Map<string, Report>} In your application this is a queue. The queue may hold the id, because the id is not a secret.
 */
const reports = new Map();

app.post('/reports', requireSalesforce(), (req, res) => {
  const { grantId } = salesforce.get(req);
  const id = String(reports.size + 1);
  reports.set(id, { grantId, state: 'waiting' });
  setImmediate(() => void work(id));
  res.status(202).location(`/reports/${id}`).json({ state: 'waiting' });
});

app.get('/reports/:id', requireSalesforce(), (req, res) => {
  const report = reports.get(String(req.params.id));
  if (!report || report.grantId !== req.salesforce.grantId) return res.sendStatus(404);
  res.json({ state: report.state, accounts: report.accounts });
});

/** @param {string} id */
async function work(id) {
  const report = /** @type {Report} */ (reports.get(id));
  try {
    const access = await salesforce.tokens.get(report.grantId);
    const reply = await access.fetch('/services/data/v68.0/query?q=SELECT+COUNT()+FROM+Account');
    if (!reply.ok) throw await salesforceApiError(reply);
    /** @type {any} */
    const { totalSize } = await reply.json();
    Object.assign(report, { state: 'done', accounts: totalSize });
  } catch (error) {
    // Nothing awaits a job, so an error that is thrown here would end the process. A queue would try again or inform the user.
    console.error(`Report ${id} failed:`, error);
    report.state = requiresLogin(error) ? 'log in again' : 'try again later';
  }
}

app.use(salesforce.errorHandler());
await serve(createServer(app), salesforce);
