import type { Request } from 'express';
import { answerNow, invalid } from './options/check';
import { parseUrl } from './salesforce/hosts';

/**
 * The address of the application's root as browsers see it, for instance `https://example.com/crm`. A list names several
 * hosts of one application; the first is the callback's. A function gives the address for a request, and must not wait.
 */
export type PublicUrl = string | readonly string[] | ((req: Request) => string | undefined);

/** Where browsers reach the application's root. */
export interface PublicAddress {
  /** Scheme, host and port, as in `https://example.com`. */
  origin: string;
  /** Path of the application's root, without a slash at its end; empty for the root of the host. */
  prefix: string;
}

/**
 * Knows the public address of requests. Nothing else in this package reads `Host`, forwarded headers or prefixes.
 *
 * The address comes from `publicUrl`; without that option from Express, which believes `X-Forwarded-Proto` and
 * `X-Forwarded-Host` as its setting `trust proxy` says.
 */
export class Addresses {
  readonly #publicUrl: ((req: Request) => PublicAddress | undefined) | undefined;
  /** The addresses that are written down, the callback's first; empty if none is. */
  readonly listed: readonly PublicAddress[];
  /** Origin of the callback URL, if that is written down in full: one more address that is the application's own. */
  readonly callbackOrigin: string | undefined;
  #isRepetitionTold = false;

  /**
   * @param publicUrl the option, as {@link parsePublicUrl} has checked it
   * @param callbackURL the option of a fixed configuration
   */
  constructor(publicUrl: PublicUrl | undefined, callbackURL?: string) {
    const callback = parseUrl(callbackURL ?? '');
    // Salesforce has callbacks of its own, such as the echo endpoint.
    if (callback && !callback.pathname.includes('/services/oauth2/')) this.callbackOrigin = callback.origin;
    this.listed = typeof publicUrl === 'string' ? [parseAddress(publicUrl)] : listOf(publicUrl);
    if (typeof publicUrl === 'function') {
      this.#publicUrl = (req) => {
        const given = answerNow('publicUrl', () => publicUrl(req));
        return given === undefined ? undefined : parseAddress(given);
      };
    }
  }

  /**
   * The address at which a request reached the application, or at which its callback is, if the option says so.
   *
   * @throws SalesforceOptionError if the request names no valid host, or the function no valid address
   */
  of(req: Request): PublicAddress {
    const [first] = this.listed;
    const configured = this.#publicUrl ? this.#publicUrl(req) : first;
    return configured ?? { origin: seenOrigin(req), prefix: '' };
  }

  /**
   * The listed address that a request seems to have reached; undefined for any other host. A proxy that rewrites `Host`
   * hides it.
   */
  listedAt(req: Request): PublicAddress | undefined {
    const seen = this.seen(req);
    return this.listed.find(({ origin }) => origin === seen);
  }

  /** The origin that a request seems to have reached, as far as this process can see; undefined if it names no valid host. */
  seen(req: Request): string | undefined {
    try {
      return seenOrigin(req);
    } catch {
      return undefined;
    }
  }

  /** Path of a route of this package, as browsers see it: for links and redirects inside the application. */
  pathOf(req: Request, mountPath: string, route: string): string {
    return this.#prefix(req) + mountPath + route;
  }

  /** Path and query of a request, as browsers see it. */
  currentPath(req: Request): string {
    return this.#prefix(req) + withOneSlash(req.originalUrl);
  }

  /** Absolute URL of a path below the application's root. @throws SalesforceOptionError as {@link of} */
  urlOf(req: Request, path: string): string {
    const { origin, prefix } = this.of(req);
    return origin + prefix + path;
  }

  /**
   * A sentence for the operator, once, if a path below the root begins with what the prefix ends with: `publicUrl` may be the
   * address of the middleware in place of that of the root, and browsers are then sent to a path that has this part twice.
   *
   * @throws SalesforceOptionError as {@link of}
   */
  repetition(req: Request, path: string): string | undefined {
    if (this.#isRepetitionTold) return undefined;
    const prefix = this.#prefix(req);
    const part = partOfBoth(prefix, path);
    if (part === undefined) return undefined;
    this.#isRepetitionTold = true;
    const { origin } = this.of(req);
    return (
      `Links and callback URL have ${part} twice, as in ${origin}${prefix}${part}: publicUrl ends with ${part}, and paths of this ` +
      `application begin with ${part}. publicUrl is the address of the application's root, and the mount path follows it. If ` +
      `no proxy takes ${part} away from the path of requests, set publicUrl to ${origin}${prefix.slice(0, -part.length)}. If a ` +
      `proxy does, leave ${part} out of the mount path, of routes and of callbackURL. If browsers do open ${prefix}${part}, ` +
      'there is nothing to do.'
    );
  }

  /** Whether browsers reach this request by https, as far as is known. */
  isSecure(req: Request): boolean {
    return this.#originOrNone(req).startsWith('https:');
  }

  /** A request that names no valid address has no prefix either; what needs the address reports it. */
  #prefix(req: Request): string {
    if (!this.#publicUrl) return this.listed[0]?.prefix ?? '';
    return this.#publicUrl(req)?.prefix ?? '';
  }

  #originOrNone(req: Request): string {
    try {
      return this.of(req).origin;
    } catch {
      return '';
    }
  }
}

/** A path that begins with one slash. With two, a link to it leads to another host. */
export function withOneSlash(path: string): string {
  return path.startsWith('//') ? path.replace(/^\/+/, '/') : path;
}

/** Checks the option `publicUrl`. @throws SalesforceOptionError */
export function parsePublicUrl(value: unknown): PublicUrl | undefined {
  if (value === undefined || typeof value === 'function') return value as PublicUrl | undefined;
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw invalid('publicUrl', 'a URL, a list of URLs that is not empty, or a function');
  for (const item of list) parseAddress(item);
  return value as PublicUrl;
}

/** The part that ends the prefix and begins the path: `/v2` for `/crm/v2` and `/v2/accounts`. Undefined without such a part. */
function partOfBoth(prefix: string, path: string): string | undefined {
  for (let at = 0; at !== -1; at = prefix.indexOf('/', at + 1)) {
    const end = prefix.slice(at);
    if (end !== '' && (path === end || path.startsWith(`${end}/`))) return end;
  }
  return undefined;
}

function listOf(publicUrl: PublicUrl | undefined): readonly PublicAddress[] {
  return Array.isArray(publicUrl) ? publicUrl.map(parseAddress) : [];
}

function parseAddress(value: unknown): PublicAddress {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  const isAddress = url && /^https?:$/.test(url.protocol) && !url.username && !url.password && !url.search && !url.hash;
  // A link to a path that begins with two slashes leads to another host: https://https://example.com.
  if (!isAddress || url.pathname.includes('//')) {
    throw invalid(
      'publicUrl',
      'the http or https address of the application as browsers see it, without query, for instance ' +
        "'https://example.com' or 'https://example.com/crm'",
    );
  }
  return { origin: url.origin, prefix: url.pathname.replace(/\/$/, '').replaceAll('\\', '%5C') };
}

/**
 * Scheme and host as Express sees them. `req.host` has the port on Express 5 only, and a trusted proxy may send anything as
 * scheme, so both are put together and checked here.
 */
function seenOrigin(req: Request): string {
  const host = hostOf(req) ?? '';
  const { protocol } = req;
  // The parser takes more than hosts: a path, a user name, tabs.
  const isHost = /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host);
  const url = isHost && /^https?$/.test(protocol) ? parseUrl(`${protocol}://${host}`) : undefined;
  if (url) return url.origin;
  throw invalid(
    'publicUrl',
    'set, since this request names no valid scheme and host: check the headers Host, X-Forwarded-Host and ' +
      'X-Forwarded-Proto that the proxy sends',
    'ERR_SALESFORCE_OPTION_INVALID',
    400,
  );
}

/** The host with its port: that of the proxy, if Express trusts the peer. */
function hostOf(req: Request): string | undefined {
  const { app, socket, headers } = req as Partial<Request> & Pick<Request, 'headers'>;
  const trusts = app?.get('trust proxy fn') as ((address: string | undefined, hop: number) => boolean) | undefined;
  const forwarded = headers['x-forwarded-host'];
  const host =
    forwarded !== undefined && trusts?.(socket?.remoteAddress, 0) === true
      ? Array.isArray(forwarded)
        ? forwarded[0]
        : forwarded
      : headers.host;
  return host?.split(',')[0]?.trim();
}
