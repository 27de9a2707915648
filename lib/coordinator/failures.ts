import { needsSetUp } from '../salesforce-errors/user-messages';
import { isSalesforceAuthError, SafeCause, SalesforceAuthError } from '../errors';
import { reasonOf, storeFailureOf } from '../stores/failure';
import type { StoreOperation } from './events';

/** The grant each error is about, since one request can use several grants. */
const grantOfError = new WeakMap<object, string>();

/** Notes that an error is about a grant. */
export function noteGrant(error: object, grantId: string): void {
  grantOfError.set(error, grantId);
}

/** The grant an error is about; undefined if none is known. */
export function grantIdOfError(error: object): string | undefined {
  return grantOfError.get(error);
}

/** Only a new login helps. */
export function loginRequired(why: string, cause?: unknown): SalesforceAuthError {
  return new SalesforceAuthError('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', `${why} Log in with Salesforce again.`, {
    status: 401,
    cause,
  });
}

/** Errors of logins that were logged out, which no access token keeps alive. */
const logouts = new WeakSet<object>();

/**
 * The grant was logged out, or belongs to a later login.
 *
 * @param why for the operator, if more is known
 */
export function loggedOut(why = 'The login has ended.'): SalesforceAuthError {
  const error = loginRequired(why);
  logouts.add(error);
  return error;
}

/** Whether an error only says that the refresh token is over; the access token may still work. */
export function isRefreshTokenOver(error: unknown): boolean {
  return (
    isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' && !logouts.has(error)
  );
}

/**
 * A refresh failed for now. The next try of all processes is in `retryInMs`. If a setting is the cause, the error names the
 * setting until then, since "try again in a moment" would help no user.
 */
export function refreshDelayed(
  retryInMs: number,
  { reason, cause, offersLogin = false }: { reason?: string | undefined; cause?: unknown; offersLogin?: boolean } = {},
): SalesforceAuthError {
  if (needsSetUp(reason)) {
    return new SalesforceAuthError(
      reason,
      `Salesforce refused the last refresh because of a setting (${reason} in docs/reference/errors.md), and is asked again in ` +
        `${seconds(retryInMs)} s. No user is logged out.`,
      { status: 502, retryAfterSeconds: seconds(retryInMs), cause, offersLogin },
    );
  }
  return new SalesforceAuthError(
    'ERR_SALESFORCE_REFRESH_DELAYED',
    `The access token could not be refreshed for now${reason === undefined ? '' : ` (${reason})`}. ` +
      'No user is logged out; try again later.',
    { status: 503, retryAfterSeconds: seconds(retryInMs), cause, offersLogin },
  );
}

/** The answer to a refresh was lost. The refresh token is not presented again until it is known whether it was spent. */
export function refreshInDoubt(retryInMs: number, cause?: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_REFRESH_IN_DOUBT',
    "Salesforce's answer to a refresh was lost, and it is being found out whether the refresh token is still good. " +
      'No user is logged out; try again later.',
    { status: 503, retryAfterSeconds: seconds(retryInMs), cause, offersLogin: true },
  );
}

/** A request has waited for a refresh as long as it may; the refresh goes on. */
export function refreshPending(waitMs: number): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_REFRESH_DELAYED',
    `A refresh is under way and took longer than ${Math.round(waitMs)} ms (option refresh.waitMs). It goes on; try again.`,
    { status: 503, retryAfterSeconds: 1 },
  );
}

const askedOf: Record<StoreOperation, string> = {
  read: 'read a grant',
  put: 'save a login',
  claim: 'claim a grant',
  renew: 'extend a claim',
  arm: 'arm a claim',
  releaseClaim: 'release a claim',
  commit: 'save new tokens',
  addHolder: 'extend a session',
  logOut: 'end a session',
  list: 'list grants',
  takeIdle: 'find idle grants',
  reseal: 'encrypt a grant anew',
  claimOnce: 'claim a login callback, a turn or a use',
  resolveClaim: 'store the result of a login callback or a turn',
};

/**
 * The token store did not answer, or answered with an error.
 *
 * @param mayBeDone whether the store may have logged the grant out all the same: its answer can be lost or late
 */
export function storeFailed(
  operation: StoreOperation,
  error: unknown,
  mayBeDone = operation === 'logOut',
): SalesforceAuthError {
  const failure = storeFailureOf(error);
  return new SalesforceAuthError(
    'ERR_SALESFORCE_TOKEN_STORE',
    `The token store failed to ${askedOf[operation]}: ${reasonOf(failure)}. ${failure.fix} ` +
      (mayBeDone ? 'The logout may have happened all the same: log out again.' : 'No user was logged out.'),
    {
      status: 503,
      cause: new SafeCause(failure.reason, failure.code, error),
      retryAfterSeconds: 5,
      leavesLoginUnknown: mayBeDone,
    },
  );
}

/** The package is shutting down. */
export function closed(): SalesforceAuthError {
  return new SalesforceAuthError('ERR_SALESFORCE_CLOSED', 'This server is shutting down; another one will answer.', {
    status: 503,
    retryAfterSeconds: 1,
  });
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** Whether an error is one of {@link storeFailed}. */
export function isStoreFailure(error: unknown): error is SalesforceAuthError {
  return isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_TOKEN_STORE';
}
