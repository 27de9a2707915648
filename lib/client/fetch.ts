import { unlessAborted } from '../clock';
import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { isSalesforceAuthError, systemCode } from '../errors';
import { loaded } from '../loaded';
import type { TokenSet } from '../token/types';
import { isMoved, movedTo } from './moved';
import { atOrigin, isBelow, isReplayable, orSendAgain, send, sendAgain, type RefusalRules } from './send';

/** Bodies of a 401 that is not about the age of the token; a refresh would be answered with the same again. */
const notExpiry = [
  'Connected app is not attached to Agent',
  'This session is not valid for use with the REST API',
] as const;

/** A request that brought no answer. */
interface Failure {
  error: unknown;
}

/**
 * Calls the organization's API with a valid token, and once more with a new one if Salesforce refuses it as expired, or at the
 * new instance if the organization has moved.
 *
 * @param input a path, a URL on the instance, or a URL on a host of the option `apiHosts`
 * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN` for a URL elsewhere, `ERR_SALESFORCE_UNREACHABLE` and
 *   `ERR_SALESFORCE_CONNECTION_LOST` if the instance does not answer, and what {@link TokenCoordinator.get} throws
 */
export async function salesforceFetch(
  coordinator: TokenCoordinator,
  key: GrantKey,
  input: string | URL,
  init: RequestInit = {},
): Promise<Response> {
  const tokens = await unlessAborted(coordinator.get(key), init.signal);
  const url = new URL(input, tokens.instanceUrl);
  if (!isBelow(url, tokens.instanceUrl)) return fetchElsewhere(coordinator, key, { url, init, tokens });
  const rules: RefusalRules = {
    refusedAt: key.grantId,
    isRefused: (answer) => isSessionEnd(answer, init.method),
    isHopeless: ({ accessToken }) => coordinator.refusals.has(key.grantId, accessToken),
    other: (rejected) => ({ rejected }),
    // At the instance of the new tokens: an organization can have moved meanwhile.
    urlWith: ({ instanceUrl }) => atOrigin(instanceUrl, url),
  };
  const answer = await send(coordinator, url, init, tokens).catch((error: unknown): Failure => ({ error }));
  if (isAway(answer, tokens.instanceUrl)) {
    const moved = isReplayable(init.body) && (await unlessAborted(movedTo(coordinator, key, tokens), init.signal));
    if (moved) {
      if (!('error' in answer)) await answer.body?.cancel();
      return sendAgain(coordinator, { init, tokens: moved }, rules);
    }
  }
  if ('error' in answer) throw answer.error;
  return orSendAgain(coordinator, key, answer, { init, tokens }, rules);
}

/** Whether an answer, or the lack of one, is a sign that the organization is at another instance now. */
function isAway(answer: Response | Failure, instanceUrl: string): boolean {
  // A name that no longer exists. A host that only does not answer is an outage.
  if ('error' in answer)
    return systemCode(isSalesforceAuthError(answer.error) ? answer.error.cause : answer.error) === 'ENOTFOUND';
  const { status, headers } = answer;
  return isMoved({ status, location: headers.get('location'), type: headers.get('content-type') }, instanceUrl);
}

/** Loaded only for a URL that is not on the instance. */
async function fetchElsewhere(
  coordinator: TokenCoordinator,
  key: GrantKey,
  request: { url: URL; init: RequestInit; tokens: TokenSet },
): Promise<Response> {
  const { fetchHostedApi } = await loaded(() => import('./hosted-api'));
  return fetchHostedApi(coordinator, key, request);
}

/** Whether an answer says that the session behind the access token is over. */
async function isSessionEnd(response: Response, method = 'GET'): Promise<boolean> {
  if (response.status !== 401 && response.status !== 403) return false;
  // Without a body, the most common cause counts.
  if (method.toUpperCase() === 'HEAD') return response.status === 401;
  const text = await response
    .clone()
    .text()
    .catch(() => '');
  if (response.status === 403) return text.trim() === 'Bad_OAuth_Token';
  return text.includes('INVALID_SESSION_ID') && !notExpiry.some((other) => text.includes(other));
}
