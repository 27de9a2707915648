import type { Request } from 'express';
import type { FinishedLogin, RepeatedLogin } from '../login/finish';
import { errorFrom, isSalesforceAuthError, SalesforceAuthError } from '../errors';
import type { AuthenticateOptions } from '../strategy/options';
import type { SalesforceStrategy } from '../strategy/strategy';

/** The answer of a strategy to a request: a redirect, or a proven login. */
export type Driven = { redirectTo: string } | FinishedLogin | RepeatedLogin;

/**
 * Runs a strategy on a request as `passport.authenticate()` does, on an object of its own, but without a Passport. It sets
 * neither `req.login` nor `req.user`, so that an application's own Passport stays as it is.
 *
 * @throws what the strategy fails with
 */
export function drive(strategy: SalesforceStrategy, req: Request, options: AuthenticateOptions): Promise<Driven> {
  return new Promise((resolve, reject) => {
    const attempt = Object.create(strategy) as SalesforceStrategy;
    Object.assign(attempt, {
      success: (login: FinishedLogin | RepeatedLogin) => {
        resolve(login);
      },
      fail: (info: unknown) => {
        reject(failureOf(info));
      },
      redirect: (redirectTo: string) => {
        resolve({ redirectTo });
      },
      error: (error: unknown) => {
        reject(errorFrom(error));
      },
      pass: () => {
        reject(failureOf(undefined));
      },
    });
    attempt.authenticate(req, options);
  });
}

/** The strategy puts its error beside what Passport shows to users. */
function failureOf(info: unknown): Error {
  const error = (info as { error?: unknown } | undefined)?.error;
  if (isSalesforceAuthError(error)) return error;
  return new SalesforceAuthError('ERR_SALESFORCE_OAUTH', 'The login failed. Start it again.', { status: 401 });
}
