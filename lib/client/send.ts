import type { TokenCoordinator } from '../coordinator/coordinator';
import { systemCode } from '../errors';
import type { TokenSet } from '../token/types';

/** Whether a URL is at an origin. Not by `origin` alone, which a `blob:` URL and one with a user name share. */
export function isBelow(url: URL, origin: string): boolean {
  return url.href.startsWith(`${new URL(origin).origin}/`);
}

/** Sends a request with an access token. */
export async function send(
  coordinator: TokenCoordinator,
  url: URL,
  init: RequestInit,
  tokens: TokenSet,
): Promise<Response> {
  const headers = new Headers(init.headers);
  // Where the headers of a visitor's request are handed on: `host` would take the token to another organization behind the
  // same address, and the application's own session cookie is nothing for Salesforce.
  for (const name of ['host', 'cookie']) headers.delete(name);
  headers.set('authorization', `Bearer ${tokens.accessToken}`);
  const way = (await coordinator.fetchOf(tokens)) ?? fetch;
  try {
    // Redirects come back to the caller: following one could carry data of one host to another.
    return await way(url.href, { redirect: 'manual', ...init, headers: Object.fromEntries(headers) });
  } catch (error) {
    // What the caller aborted, or got wrong, is no failure of the network.
    if (init.signal?.aborted || systemCode(error) === undefined) throw error;
    const { transportError } = await import('../token/http');
    throw transportError(error, url.host);
  }
}

/** Whether a body can be sent twice; a stream cannot. */
export function isReplayable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return !(Symbol.asyncIterator in body || 'getReader' in body || 'pipe' in body);
}
