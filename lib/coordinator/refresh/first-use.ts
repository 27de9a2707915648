import { isSalesforceAuthError } from '../../errors';
import { loadAgainMs, loaded } from '../../loaded';
import type { TokenSet } from '../../token/types';
import type { GrantKey } from '../grant';
import type { RefreshDeps } from './deps';
import type { RefreshReason } from './run';

/**
 * Refreshes a grant; see `RefreshRun`. What a refresh takes is loaded at the first refresh. If it cannot be loaded, the operator is
 * told, and nothing has been claimed or presented.
 *
 * @throws SalesforceAuthError as `RefreshRun`, and `ERR_SALESFORCE_NOT_LOADED`
 */
export async function refreshed(key: GrantKey, reason: RefreshReason, deps: RefreshDeps): Promise<TokenSet | 'moved'> {
  try {
    const { RefreshRun } = await loaded(() => import('./run'));
    return await new RefreshRun(key, reason, deps).tokens();
  } catch (error) {
    if (isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_NOT_LOADED') {
      const news = { grantId: key.grantId, cause: reason.cause, durationMs: 0, code: error.code };
      deps.events.emit('refresh.failed', { ...news, verdict: 'not delivered', retryInMs: loadAgainMs });
      deps.report(error);
    }
    throw error;
  }
}
