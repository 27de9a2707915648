// @ts-check
import { isSalesforceAuthError } from 'express-salesforce-auth';
import { errorPage } from './pages/error.mjs';
import { loginPage } from './pages/login.mjs';
import { loginChoices } from './routes/dashboard.mjs';

/**
 * The JSON of a reply of Salesforce's API, or an error with the words Salesforce found for what is wrong.
 *
 * @param {Response} reply
 * @returns {Promise<any>}
 */
export async function readReply(reply) {
  if (!reply.ok) {
    const problems = /** @type {{ message?: string, errorCode?: string }[]} */ (await reply.json().catch(() => []));
    const { message = `Salesforce answered ${reply.status}.`, errorCode } = problems[0] ?? {};
    throw Object.assign(new Error(message), { code: errorCode, status: 502, expose: true });
  }
  return reply.json().catch(() => {
    throw Object.assign(new Error('Salesforce sent something unreadable.'), { status: 502, expose: true });
  });
}

/**
 * Whether only a new login helps; `salesforce.errorHandler()` sees to that.
 *
 * @param {unknown} error
 */
export function needsLogin(error) {
  const codes = ['NOT_AUTHENTICATED', 'REAUTHENTICATION_REQUIRED', 'CLIENT_CHANGED'];
  return isSalesforceAuthError(error) && codes.includes(error.code.replace('ERR_SALESFORCE_', ''));
}

/**
 * What a user may be told. Messages of the package are written to be shown, and never hold a token; those of other errors
 * are for the console.
 *
 * @param {any} error
 * @returns {{ message: string, code: string | undefined }}
 */
export function wordsFor(error) {
  if (isSalesforceAuthError(error) || error?.expose === true) return { message: error.message, code: error.code };
  // What `fetch` throws where no answer came.
  if (error?.name === 'TypeError' && error.cause !== undefined) {
    return { message: 'The connection to Salesforce broke off.', code: undefined };
  }
  console.error(error);
  return { message: 'The application failed. Its console says more.', code: undefined };
}

/**
 * @param {import('./routes/parts.mjs').Parts['frameOf']} frameOf
 * @returns {import('express').RequestHandler}
 */
export function notFound(frameOf) {
  return (req, res) => {
    const message = `There is no page at ${req.path}.`;
    res.status(404).send(errorPage(frameOf(req), { title: 'Not found', message, retry: '/' }));
  };
}

/**
 * Express's error handler: says what went wrong and how to go on, and nothing about the inside of the application.
 *
 * @param {import('./routes/parts.mjs').Parts} parts
 * @returns {import('express').ErrorRequestHandler}
 */
export function errorHandler(parts) {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    res.status(error.status ?? 500).set(error.headers ?? {});
    const frame = parts.frameOf(req);
    if (error.option === 'org') {
      // A My Domain that is none: back to the form, with what was typed.
      const wrong = { org: String(req.query.org), message: 'That is no My Domain of Salesforce.' };
      res.send(loginPage({ ...frame, path: '/' }, { ...loginChoices(parts), wrong }));
      return;
    }
    res.send(errorPage(frame, { ...wordsFor(error), retry: nextStep(req) }));
  };
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
