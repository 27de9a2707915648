import type { Request } from 'express';
import type { Strategy } from 'passport-oauth2';
import { debugLogin } from '../debug';
import { errorFrom, isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { responseOf } from '../login/cookies';
import { movedText } from '../login/move';
import { warn } from '../reporter';

/** What Passport, or the middleware, puts on a strategy for one request. */
export type Actions = Pick<Strategy, 'success' | 'fail' | 'redirect' | 'error'>;

/**
 * Answers a request by an action of Passport, which can run code of the application: a custom callback, a serializer. What
 * that code throws goes to the next error handler; if the response has begun, it is reported.
 */
export function settleRequest(req: Request, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (req.next && !responseOf(req).headersSent) req.next(errorFrom(error));
    else
      warn('CALLBACK_THREW', `Code of the application threw after the response had begun: ${errorFrom(error).name}.`);
  }
}

/** Errors of the login that are the visitor's: Passport calls them failures, so that the next strategy may try. */
const failures: Readonly<Record<string, number>> = {
  ERR_SALESFORCE_ACCESS_DENIED: 401,
  ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL: 401,
  ERR_SALESFORCE_STATE_MISSING: 403,
  ERR_SALESFORCE_STATE_MISMATCH: 403,
  ERR_SALESFORCE_UNSOLICITED_ERROR: 403,
  ERR_SALESFORCE_TRANSACTION_EXPIRED: 403,
  ERR_SALESFORCE_CALLBACK_REPLAYED: 403,
};

/** Ends a request with an error of the login. */
export function refuse(error: unknown, actions: Actions): void {
  const code = isSalesforceAuthError(error) ? error.code : 'unknown';
  debugLogin('login failed: %s', code);
  const status = failures[code];
  if (status === undefined || !isSalesforceAuthError(error)) {
    actions.error(errorFrom(error));
    return;
  }
  // `message` ends up in flash messages, which users read.
  const info = Object.defineProperty({ message: error.userMessage, code }, 'error', { value: error });
  actions.fail(info, status);
}

/** The callback of the strategy alone was opened again: it has no session to give the login to. */
export function repeated(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CALLBACK_REPLAYED',
    'This login has been completed already; going back to its callback changes nothing. Open the application instead.',
    { status: 403 },
  );
}

/** Tells the operator that a proxy seems to hide the origin that browsers use. */
export function warnOfMove(origins: { from: string; to: string }): void {
  warn('LOGIN_ORIGIN', movedText(origins));
}
