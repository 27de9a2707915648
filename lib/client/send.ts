import { unlessAborted } from '../clock';
import type { GetOptions, TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import { mistakeIn, systemCode } from '../errors';
import { loaded } from '../loaded';
import type { TokenSet } from '../token/types';

/** Whether a URL is at an origin. Not by `origin` alone, which a `blob:` URL and one with a user name share. */
export function isBelow(url: URL, origin: string): boolean {
  return url.href.startsWith(`${new URL(origin).origin}/`);
}

/** The path of a URL at another origin. Not resolved: a path such as `//host/x` would name another host. */
export function atOrigin(origin: string, { pathname, search }: URL): URL {
  return new URL(`${new URL(origin).origin}${pathname}${search}`);
}

/**
 * Headers that are not for Salesforce if those of a visitor's request are handed on. `host` would take the token to another
 * organization behind the same address, and `cookie` has the application's own session. The others are about one connection
 * (RFC 9110, section 7.6.1): `fetch` sets its own, and would refuse most of these.
 */
const notHandedOn = [
  ...['host', 'cookie', 'connection', 'expect', 'keep-alive', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
] as const;

/**
 * Sends a request with an access token.
 *
 * @throws TypeError if the request is one that cannot be sent, and SalesforceAuthError if the network failed
 */
export async function send(
  coordinator: TokenCoordinator,
  url: URL,
  init: RequestInit,
  tokens: TokenSet,
): Promise<Response> {
  const headers = new Headers(init.headers);
  for (const name of notHandedOn) headers.delete(name);
  headers.set('authorization', `Bearer ${tokens.accessToken}`);
  const way = (await coordinator.fetchOf(tokens)) ?? fetch;
  // Redirects come back to the caller, whatever it says: following one could carry data of one host to another.
  const redirect = init.redirect === 'error' ? 'error' : 'manual';
  try {
    return await way(url.href, { ...init, redirect, headers: Object.fromEntries(headers) });
  } catch (error) {
    // What the caller aborted, or got wrong, is no failure of the network.
    if (init.signal?.aborted || systemCode(error) === undefined) throw error;
    const mistake = mistakeIn(error);
    if (mistake !== undefined) throw new TypeError(`This request cannot be sent: ${mistake}.`, { cause: error });
    const { transportError } = await loaded(() => import('../token/http'));
    throw transportError(error, url.host);
  }
}

/** A request that was sent with an access token. */
export interface Sent {
  init: RequestInit;
  tokens: TokenSet;
}

/** What a refusal of the token means at the host that a request went to. */
export interface RefusalRules {
  /** The name under which refusals of fresh tokens are noted. */
  refusedAt: string;
  isRefused: (answer: Response) => boolean | Promise<boolean>;
  /** Whether another token would be refused as well. */
  isHopeless: (tokens: TokenSet) => boolean;
  /** How another token is asked for. */
  other: (accessToken: string) => GetOptions;
  /** Where the request goes with another token. @throws if it must not go there */
  urlWith: (fresh: TokenSet) => URL;
}

/**
 * The answer to a request, or, if the token was refused, the answer to the same request with another token.
 *
 * @throws SalesforceAuthError what {@link TokenCoordinator.get} throws
 */
export async function orSendAgain(
  coordinator: TokenCoordinator,
  key: GrantKey,
  answer: Response,
  { init, tokens }: Sent,
  rules: RefusalRules,
): Promise<Response> {
  if (!(await rules.isRefused(answer))) {
    coordinator.refusals.accepted(rules.refusedAt);
    return answer;
  }
  if (rules.isHopeless(tokens)) return answer;
  const other = coordinator.get(key, rules.other(tokens.accessToken));
  if (!isReplayable(init.body)) {
    // The body is used up. The caller gets the answer as it is, and its next request a new token.
    other.catch(() => undefined);
    return answer;
  }
  const [fresh] = await unlessAborted(Promise.all([other, answer.body?.cancel()]), init.signal);
  return sendAgain(coordinator, { init, tokens: fresh }, rules);
}

/** Repeats a request with new tokens. */
export async function sendAgain(
  coordinator: TokenCoordinator,
  { init, tokens }: Sent,
  { refusedAt, isRefused, urlWith }: RefusalRules,
): Promise<Response> {
  const answer = await send(coordinator, urlWith(tokens), init, tokens);
  if (await isRefused(answer)) coordinator.refusals.note(refusedAt, tokens.accessToken);
  else coordinator.refusals.accepted(refusedAt);
  return answer;
}

/** Whether a body can be sent twice; a stream cannot. */
export function isReplayable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null) return true;
  return !(Symbol.asyncIterator in body || 'getReader' in body || 'pipe' in body);
}
