import type { Request, Response } from 'express';
import { withOneSlash, type Addresses } from '../address';
import { parseUrl } from '../salesforce/hosts';

/** A request and the response to it. */
export interface Visit {
  req: Request;
  res: Response;
}

/**
 * The path a middleware is mounted at. If that path has a parameter, the request decides a part of it, and a browser would
 * take `/\host` and `//host` for another host. Undefined is that of a request that no Express application has.
 */
export function mountPathOf(baseUrl: string | undefined): string {
  return withOneSlash((baseUrl ?? '').replaceAll('\\', '%5C'));
}

/** A navigation of a browser, by link or form, which can be shown a page; a script cannot. */
export function isNavigation(req: Request): boolean {
  return !isScript(req) && req.accepts(['json', 'html']) === 'html';
}

/** Whether a request asks for a page, as one or two headers tell. On the path of every guarded request. */
export function asksForPage({ headers }: Request): boolean {
  const mode = headers['sec-fetch-mode'];
  return mode === undefined ? headers.accept?.includes('text/html') === true : mode === 'navigate';
}

/**
 * A request that a script of a page sends, by `fetch` or `XMLHttpRequest`: a redirect to Salesforce would fail there. The
 * `fetch` of Node.js sends a mode as well, but no site.
 */
export function isScript(req: Request): boolean {
  const mode = req.get('sec-fetch-mode');
  const isOfBrowser = req.get('sec-fetch-site') !== undefined;
  return (mode !== undefined && mode !== 'navigate' && isOfBrowser) || req.xhr;
}

/** A request that a browser sends in advance, for a page that the user has not asked for and may never see. */
export function isPrefetch(req: Request): boolean {
  const purpose = req.get('sec-purpose') ?? req.get('purpose') ?? req.get('x-moz') ?? '';
  return /\bpre(?:fetch|render|view)/i.test(purpose);
}

/** A navigation in a frame. */
export function isFramed(req: Request): boolean {
  return /^(?:iframe|frame|embed|object|fencedframe)$/.test(req.get('sec-fetch-dest') ?? '');
}

/**
 * Whether another site makes the browser send this request: by fetch metadata, or by `Origin` in browsers that send none. A
 * script that sends neither is no victim.
 *
 * @param isStrict counts other subdomains of the same site as others, too
 */
export function isCrossSite(req: Request, addresses: Addresses, isStrict = false): boolean {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'cross-site' || (isStrict && site === 'same-site');
  const origin = req.get('origin');
  return origin !== undefined && !isOwnOrigin(req, origin, addresses);
}

/**
 * Whether a page of this application led the browser here: by fetch metadata, or by `Referer` in browsers that send none.
 * No other site can forge either. A request without both counts as led by another site.
 */
export function isFromOwnPage(req: Request, addresses: Addresses): boolean {
  const site = req.get('sec-fetch-site');
  if (site !== undefined) return site === 'same-origin';
  const origin = parseUrl(req.get('referer') ?? '')?.origin;
  return origin !== undefined && isOwnOrigin(req, origin, addresses);
}

/**
 * Whether another site led the browser here, as fetch metadata tell. It counts for a whole chain of redirects. Another host of
 * this application is of the same site, and its pages name themselves.
 */
export function isLedByAnotherSite(req: Request, addresses: Addresses): boolean {
  const site = req.get('sec-fetch-site');
  return site === 'cross-site' || (site === 'same-site' && ownPageOf(req, addresses) === undefined);
}

/** The path of the page that led here, if that page is one of this application. */
export function ownPageOf(req: Request, addresses: Addresses): string | undefined {
  const url = parseUrl(req.get('referer') ?? '');
  return url && isOwnOrigin(req, url.origin, addresses) ? url.pathname + url.search : undefined;
}

function isOwnOrigin(req: Request, origin: string, addresses: Addresses): boolean {
  // Behind a proxy that rewrites Host, a request does not show the origin that the browser names; the callback URL does.
  if (origin === addresses.callbackOrigin) return true;
  return origin === addresses.seen(req) || origin === originOf(req, addresses) || isListed(origin, addresses);
}

function isListed(origin: string, { listed }: Addresses): boolean {
  return listed.some((address) => address.origin === origin);
}

function originOf(req: Request, addresses: Addresses): string | undefined {
  try {
    return addresses.of(req).origin;
  } catch {
    return undefined;
  }
}
