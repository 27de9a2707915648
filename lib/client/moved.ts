import { BoundedMap } from '../bounded-map';
import type { TokenCoordinator } from '../coordinator/coordinator';
import type { GrantKey } from '../coordinator/grant';
import type { TokenSet } from '../token/types';

/** The parts of an API answer that are read. */
interface Seen {
  status: number;
  location?: string | null | undefined;
  type?: string | null | undefined;
}

const redirects = new Set([301, 302, 303, 307, 308]);

/** Whether a status is that of a redirect. */
export function isRedirection(status: number): boolean {
  return redirects.has(status);
}

/**
 * Whether an answer looks as if the organization has left this instance: a redirect to another host, or a web page with
 * 403 or 404. The API itself answers in JSON or XML.
 */
export function isMoved({ status, location, type }: Seen, instanceUrl: string): boolean {
  const isPage = /^text\/html\b/i.test(type ?? '');
  if (!isRedirection(status)) return (status === 403 || status === 404) && isPage;
  const target = URL.canParse(location ?? '', instanceUrl) ? new URL(location ?? '', instanceUrl) : undefined;
  return isPage || (target !== undefined && target.origin !== new URL(instanceUrl).origin);
}

/** How long an instance counts as the right one after a look for another, in milliseconds. */
const lookAgainMs = 600_000;
const maxLooks = 10_000;

interface Look {
  since: number;
  done: Promise<unknown>;
}

/** Looks for another instance, by grant. */
const looks = new WeakMap<TokenCoordinator, BoundedMap<string, Look>>();

/**
 * Tokens for another instance than the given one, if the organization has moved. Only a refresh tells. Pages with
 * 404 have other causes too, so a grant is refreshed for this reason every ten minutes at most, unless the refresh failed.
 */
export async function movedTo(
  coordinator: TokenCoordinator,
  key: GrantKey,
  { accessToken, instanceUrl }: Pick<TokenSet, 'accessToken' | 'instanceUrl'>,
): Promise<TokenSet | undefined> {
  const { grantId } = key;
  const known = looks.get(coordinator) ?? new BoundedMap<string, Look>(maxLooks);
  looks.set(coordinator, known);
  const now = coordinator.clock.monotonic();
  let look = known.get(grantId);
  if (!look || now - look.since >= lookAgainMs) {
    const begun = { since: now, done: coordinator.get(key, { unwanted: accessToken }) };
    look = begun;
    known.set(grantId, begun);
    // A look that failed has shown nothing, so the next request looks again. While the login host is down, the pauses between
    // the refreshes of the grant keep each request from asking it.
    begun.done.catch(() => {
      if (known.get(grantId) === begun) known.delete(grantId);
    });
  }
  try {
    await look.done;
    const tokens = await coordinator.get(key);
    return tokens.instanceUrl === instanceUrl ? undefined : tokens;
  } catch {
    // The refresh failed, so the answer of the instance is the better one to return.
    return undefined;
  }
}
