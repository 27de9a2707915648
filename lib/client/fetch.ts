import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { isSalesforceAuthError, systemCode } from '../errors';
import type { TokenSet } from '../token/types';
import { isMoved, movedTo } from './moved';
import { isBelow, isReplayable, send } from './send';

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
  const { grantId } = key;
  const tokens = await coordinator.get(key);
  const url = new URL(input, tokens.instanceUrl);
  if (!isBelow(url, tokens.instanceUrl)) return fetchElsewhere(coordinator, key, { url, init, tokens });
  const answer = await send(coordinator, url, init, tokens).catch((error: unknown): Failure => ({ error }));
  if (isAway(answer, tokens.instanceUrl)) {
    const moved = isReplayable(init.body) ? await movedTo(coordinator, key, tokens) : undefined;
    if (moved) return sendAgain(coordinator, grantId, url, init, { answer, fresh: moved });
  }
  if ('error' in answer) throw answer.error;
  if (!(await isSessionEnd(answer))) {
    coordinator.accepted(grantId);
    return answer;
  }
  if (coordinator.isLatched(grantId, tokens.accessToken)) return answer;
  if (!isReplayable(init.body)) {
    // The body is used up. The caller gets the answer as it is, and its next request a new token.
    coordinator.get(key, { rejected: tokens.accessToken }).catch(() => undefined);
    return answer;
  }
  let fresh: TokenSet;
  try {
    fresh = await coordinator.get(key, { rejected: tokens.accessToken });
  } catch (error) {
    await answer.body?.cancel();
    throw error;
  }
  return sendAgain(coordinator, grantId, url, init, { answer, fresh });
}

/** Repeats a request with new tokens, at the instance they are for: an organization can have moved meanwhile. */
async function sendAgain(
  coordinator: TokenCoordinator,
  grantId: string,
  url: URL,
  init: RequestInit,
  { answer, fresh }: { answer: Response | Failure; fresh: TokenSet },
): Promise<Response> {
  if (!('error' in answer)) await answer.body?.cancel();
  const second = await send(coordinator, new URL(url.pathname + url.search, fresh.instanceUrl), init, fresh);
  if (await isSessionEnd(second)) coordinator.latchRejected(grantId, fresh.accessToken);
  else coordinator.accepted(grantId);
  return second;
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
  const { fetchHostedApi } = await import('./hosted-api');
  return fetchHostedApi(coordinator, key, request);
}

/** Whether an answer says that the session behind the access token is over. */
async function isSessionEnd(response: Response): Promise<boolean> {
  if (response.status !== 401 && response.status !== 403) return false;
  const text = await response
    .clone()
    .text()
    .catch(() => '');
  if (response.status === 403) return text.trim() === 'Bad_OAuth_Token';
  return text.includes('INVALID_SESSION_ID') && !notExpiry.some((other) => text.includes(other));
}
