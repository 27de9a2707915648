import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantReference } from '../coordinator/grant';
import { SalesforceAuthError } from '../errors';
import type { TokenSet } from '../token/types';

/** Bodies of a 401 that is not about the age of the token; a refresh would be answered with the same again. */
const notExpiry = [
  'Connected app is not attached to Agent',
  'This session is not valid for use with the REST API',
] as const;

/**
 * Calls the organization's API with a valid token, and once more with a new one where Salesforce refuses it as expired.
 *
 * @param input a path, or a URL on the instance
 * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN` for a URL elsewhere, and what {@link TokenCoordinator.get}
 *   throws
 */
export async function salesforceFetch(
  coordinator: TokenCoordinator,
  reference: GrantReference,
  input: string | URL,
  init: RequestInit = {},
): Promise<Response> {
  const { grantId } = reference;
  const tokens = await coordinator.get(reference);
  const url = onInstance(input, tokens.instanceUrl);
  const response = await send(url, init, tokens);
  if (!(await isSessionEnd(response))) {
    coordinator.accepted(grantId);
    return response;
  }
  if (coordinator.isLatched(grantId, tokens.accessToken)) return response;
  if (!isReplayable(init.body)) {
    // The body is used up. The caller gets the answer as it is, and its next request a new token.
    coordinator.get(reference, { rejected: tokens.accessToken }).catch(() => undefined);
    return response;
  }
  let fresh: TokenSet;
  try {
    fresh = await coordinator.get(reference, { rejected: tokens.accessToken });
  } finally {
    await response.body?.cancel();
  }
  // An organization may have moved to another instance meanwhile.
  const moved = new URL(url.pathname + url.search, fresh.instanceUrl);
  const second = await send(moved, init, fresh);
  if (await isSessionEnd(second)) coordinator.latchRejected(grantId, fresh.accessToken);
  else coordinator.accepted(grantId);
  return second;
}

function send(url: URL, init: RequestInit, tokens: TokenSet): Promise<Response> {
  const headers = new Headers(init.headers);
  // Where the headers of a visitor's request are handed on: `host` would take the token to another organization behind the
  // same address, and the application's own session cookie is nothing for Salesforce.
  for (const name of ['host', 'cookie']) headers.delete(name);
  headers.set('authorization', `Bearer ${tokens.accessToken}`);
  // Redirects come back to the caller: following one could carry data of one host to another.
  return fetch(url, { redirect: 'manual', ...init, headers });
}

function onInstance(input: string | URL, instanceUrl: string): URL {
  const url = new URL(input, instanceUrl);
  // Not by `origin` alone, which a `blob:` URL and one with a user name share.
  if (url.href.startsWith(`${new URL(instanceUrl).origin}/`)) return url;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_FOREIGN_ORIGIN',
    `fetch was given a URL on ${url.host}, but a token goes to the user's instance only. Give it a path such as '/services/data/v68.0/limits'.`,
  );
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

/** Whether a body can be sent twice; a stream cannot. */
function isReplayable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return !(Symbol.asyncIterator in body || 'getReader' in body || 'pipe' in body);
}
