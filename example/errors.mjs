// @ts-check
import { isSalesforceAuthError } from 'express-salesforce-auth';
import { errorPage } from './pages/error.mjs';
import { loginPage } from './pages/login.mjs';
import { loginChoices } from './routes/login-choices.mjs';

/**
 * Reads the JSON of an API reply. If Salesforce refused the call, throws an error with Salesforce's message.
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
    throw Object.assign(new Error('Salesforce sent an unreadable answer.'), { status: 502, expose: true });
  });
}

/**
 * Whether only a new login helps. `salesforce.errorHandler()` starts this login.
 *
 * @param {unknown} error
 */
export function needsLogin(error) {
  const codes = ['NOT_AUTHENTICATED', 'REAUTHENTICATION_REQUIRED', 'CLIENT_CHANGED'];
  return isSalesforceAuthError(error) && codes.includes(error.code.replace('ERR_SALESFORCE_', ''));
}

/**
 * The message for a user. Messages of unknown errors go to the console only.
 *
 * @param {any} error
 * @returns {{ message: string, code: string | undefined }}
 */
export function wordsFor(error) {
  if (isSalesforceAuthError(error)) return { message: error.userMessage, code: error.code };
  if (error?.expose === true) return { message: error.message, code: error.code };
  // `fetch` throws this error if no answer arrived.
  if (error?.name === 'TypeError' && error.cause !== undefined) {
    return { message: 'The connection to Salesforce failed.', code: undefined };
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
    res.status(404).send(errorPage(frameOf(req), { title: 'Not found', message, links: [start] }));
  };
}

const start = { label: 'Go to the start page', href: '/' };

/**
 * The error handler of Express. It says what went wrong and what the user can do. It shows no details of the application.
 * Errors of the package go on to the page that the middleware was given as `pages.error`.
 *
 * @param {import('./routes/parts.mjs').Parts} parts
 * @returns {import('express').ErrorRequestHandler}
 */
export function errorHandler(parts) {
  return (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const frame = parts.frameOf(req);
    if (error.option === 'org') {
      // An invalid My Domain: the form is shown again with the entered text.
      res.status(error.status);
      const wrong = { org: String(req.query.org), message: 'This is not a My Domain of Salesforce.' };
      res.send(loginPage({ ...frame, path: '/' }, { ...loginChoices(parts), wrong }));
      return;
    }
    if (isSalesforceAuthError(error)) return next(error);
    const again = { label: 'Try again', href: req.method === 'GET' ? req.originalUrl : '/' };
    res.status(error.status ?? 500).set(error.headers ?? {});
    res.send(errorPage(frame, { ...wordsFor(error), links: [again, start] }));
  };
}
