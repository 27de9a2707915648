import type { Request } from 'express';
import type { Strategy } from 'passport-oauth2';
import { debugLogin } from '../debug';
import { errorFrom, isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { responseOf } from '../login/cookies';
import { warn } from '../reporter';

/** What Passport, or the middleware, puts on a strategy for one request. */
export interface Actions {
  success(...given: Parameters<Strategy['success']>): unknown;
  fail(info?: unknown, status?: number): unknown;
  redirect(url: string): unknown;
  error(error: unknown): unknown;
}

/**
 * Answers a request by an action of Passport, which can run code of the application: a custom callback, a serializer. What
 * that code throws, or rejects with if it is async, goes to the next error handler; if the response has begun, it is
 * reported.
 */
export function settleRequest(req: Request, act: () => unknown): void {
  const { next } = req;
  const pass = (error: unknown): void => {
    if (next && !responseOf(req).headersSent) next(errorFrom(error));
    else
      warn('CALLBACK_THREW', `Code of the application threw after the response had begun: ${errorFrom(error).name}.`);
  };
  try {
    // Passport returns what a custom callback returns.
    Promise.resolve(act()).catch(pass);
  } catch (error) {
    pass(error);
  }
}

/** Errors of the login that the visitor caused. Passport calls them failures, so the next strategy may try. */
const failures: Readonly<Record<string, number>> = {
  ERR_SALESFORCE_ACCESS_DENIED: 401,
  ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL: 401,
  ERR_SALESFORCE_STATE_MISMATCH: 403,
  ERR_SALESFORCE_LOGIN_EXPIRED: 403,
};

/** Ends a request with an error of the login. */
export function refuse(error: unknown, actions: Actions): unknown {
  const code = isSalesforceAuthError(error) ? error.code : 'unknown';
  debugLogin('login failed: %s', code);
  const status = failures[code];
  if (status === undefined || !isSalesforceAuthError(error)) {
    return actions.error(errorFrom(error));
  }
  // `message` ends up in flash messages, which users read.
  const info = Object.defineProperty({ message: error.userMessage, code }, 'error', { value: error });
  return actions.fail(info, status);
}

/** The callback of the strategy alone was opened again: it has no session to give the login to. */
export function repeated(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_EXPIRED',
    'This login has been completed already; going back to its callback changes nothing. Open the application instead.',
    { status: 403 },
  );
}

/** What a function gives its callback. If the function throws, or is async and rejects, that is its answer. */
export function answerOf<T>(ask: (done: (error?: unknown, value?: T) => void) => unknown): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(errorFrom(error));
    };
    const result = ask((error, value) => {
      if (error) fail(error);
      else resolve(value);
    });
    Promise.resolve(result).catch(fail);
  });
}
