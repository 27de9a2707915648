// @ts-check
import { isSalesforceAuthError } from 'express-salesforce-auth';
import { errorPage } from './pages.mjs';

/**
 * The JSON of a reply of Salesforce's API, or an error with the words Salesforce found for what is wrong.
 *
 * @param {Response} reply
 * @returns {Promise<any>}
 */
export async function readReply(reply) {
  if (reply.ok) return reply.json();
  const problems = /** @type {{ message?: string, errorCode?: string }[]} */ (await reply.json().catch(() => []));
  const { message = `Salesforce answered ${reply.status}.`, errorCode } = problems[0] ?? {};
  throw Object.assign(new Error(message), { code: errorCode, status: 502, expose: true });
}

/**
 * Express's error handler: says what went wrong and how to go on, and nothing about the inside of the application.
 *
 * @type {import('express').ErrorRequestHandler}
 */
export function showError(error, req, res, next) {
  if (res.headersSent) return next(error);
  // Messages of the package are written to be shown, and never hold a token. Those of other errors are for the console.
  const isForUsers = isSalesforceAuthError(error) || error.expose === true;
  if (!isForUsers) console.error(error);
  const { message, code } = isForUsers ? error : { message: 'The application failed. Its console says more.' };
  const retry = nextStep(req);
  res.status(error.status ?? 500).set(error.headers ?? {});
  res.send(errorPage({ message, code, retry }));
}

/**
 * Where "Try again" leads.
 *
 * @param {import('express').Request} req
 */
function nextStep({ method, path, originalUrl }) {
  if (path.startsWith('/auth/')) return '/auth/salesforce';
  return method === 'GET' ? originalUrl : '/';
}
