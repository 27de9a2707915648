import { isSalesforceAuthError, type SalesforceAuthError } from '../errors';
import { TokenRequestError } from '../token/token-error';
import type { Flight } from './flight';

/**
 * What a failed refresh means for its grant; anything that is not certain counts as ambiguous.
 *
 * - `dead`: the refresh token is over
 * - `refused`: client or policy are, until a person changes them
 * - `transient`: the refresh token was not spent, and is good later
 * - `ambiguous`: it may have been spent
 */
export type Disposition = 'dead' | 'refused' | 'transient' | 'ambiguous';

export function dispositionOf(error: unknown, { configuration }: Flight): Disposition {
  if (error instanceof TokenRequestError) {
    if (error.disposition !== 'busy') return error.disposition;
    // Somebody else is presenting it and may be about to spend it. A public client has no way to find out and tries later.
    return configuration.clientSecret === undefined ? 'transient' : 'ambiguous';
  }
  return isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_UNREACHABLE' ? 'transient' : 'ambiguous';
}

/** The pause Salesforce asked for, if it did. */
export function askedForSeconds(error: unknown): number | undefined {
  if (!isSalesforceAuthError(error)) return undefined;
  const { upstreamStatus, retryAfterSeconds } = error as SalesforceAuthError;
  return upstreamStatus === 429 || upstreamStatus === 503 ? retryAfterSeconds : undefined;
}
