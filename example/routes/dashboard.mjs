// @ts-check
import express from 'express';
import { requireSalesforce } from 'express-salesforce-auth';
import { needsLogin, readReply, wordsFor } from '../errors.mjs';
import { accountsPage } from '../pages/accounts.mjs';
import { dashboardPage } from '../pages/dashboard.mjs';
import { loginPage } from '../pages/login.mjs';
import { leaveNotice } from './frame.mjs';
import { timelineOf } from './live.mjs';
import { loginChoices } from './login-choices.mjs';

const api = '/services/data/v68.0';

/**
 * The start page, and the pages of a user who is logged in.
 *
 * @param {import('./parts.mjs').Parts} parts
 */
export function dashboard(parts) {
  const { frameOf, salesforce, expire } = parts;
  const router = express.Router();

  router.get('/', async (req, res) => {
    const { user, grantId } = req.salesforce;
    if (!user || grantId === undefined) {
      res.send(loginPage(frameOf(req), loginChoices(parts)));
      return;
    }
    const [accounts, limits] = await Promise.all([
      answer(fetchAccounts(req, 5)),
      answer(req.salesforce.fetch(`${api}/limits`).then(readReply)),
    ]);
    const { instanceUrl } = req.salesforce;
    const timeline = timelineOf(parts, grantId);
    res.send(dashboardPage({ ...frameOf(req), user }, { instanceUrl, timeline, accounts, limits }));
  });

  router.get('/accounts', requireSalesforce(), async (req, res) => {
    const accounts = await fetchAccounts(req, 50);
    res.send(accountsPage(frameOf(req), accounts));
  });

  router.post('/expire', requireSalesforce(), async (req, res) => {
    await expire(salesforce.get(req));
    leaveNotice(req, 'The access token was ended at Salesforce, so this page needed a new token.');
    res.redirect(303, '/');
  });

  router.post('/open-in-salesforce', requireSalesforce(), async (req, res) => {
    // This URL logs a browser in, once. So it is sent to this browser only.
    const url = await req.salesforce.frontdoorUrl('/lightning/page/home');
    res.set('Cache-Control', 'no-store').redirect(303, url);
  });

  return router;
}

/**
 * @param {import('express').Request} req
 * @param {number} limit
 * @returns {Promise<import('../pages/accounts.mjs').Account[]>}
 */
export async function fetchAccounts(req, limit) {
  const query = `SELECT Name, Industry, BillingCity FROM Account ORDER BY Name LIMIT ${limit}`;
  const reply = await req.salesforce.fetch(`${api}/query?q=${encodeURIComponent(query)}`);
  return (await readReply(reply)).records;
}

/**
 * The content of a panel. If a panel fails, the rest of the page is still shown. If the login has ended, the whole page
 * fails.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<import('../pages/dashboard.mjs').Answer<T>>}
 */
async function answer(promise) {
  try {
    return { value: await promise };
  } catch (error) {
    if (needsLogin(error)) throw error;
    return { problem: wordsFor(error).message };
  }
}
