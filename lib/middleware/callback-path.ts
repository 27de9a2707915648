import type { Request } from 'express';
import { withoutQuery } from '../query';
import { parseUrl } from '../salesforce/hosts';
import type { AuthContext } from './context';
import type { ParsedOptions } from './options';

/** The path at which the application sees the callback, if the option `callbackURL` names it. */
export function callbackPathBelowRoot({
  source,
  addresses,
}: Pick<ParsedOptions, 'source' | 'addresses'>): string | undefined {
  const callbackURL = source.fixed?.callbackURL;
  if (callbackURL === undefined) return undefined;
  if (callbackURL.startsWith('/')) return withoutSlash(withoutQuery(callbackURL));
  const path = parseUrl(callbackURL)?.pathname;
  const prefix = addresses.listed[0]?.prefix ?? '';
  return path && withoutSlash(path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : path);
}

/** Middlewares whose operator knows already. */
const told = new WeakSet<AuthContext>();

/**
 * Tells the operator, once, as a login begins, if the callback URL leads past the path at which the middleware is mounted: a user
 * who comes back would find no route. A proxy that changes paths may lead there all the same.
 */
export function warnOfCallbackPath(core: AuthContext, req: Request): void {
  const { routes, reporter } = core.options;
  const mountPath = core.mountPathOf(req);
  const path = callbackPathBelowRoot(core.options);
  if (routes.callback === false || path === undefined || told.has(core)) return;
  // Express tells the mount path as the browser spelled it, and finds a route whatever the case of its letters.
  if (path.toLowerCase().startsWith(`${mountPath.toLowerCase()}/`)) return;
  told.add(core);
  reporter.warn(
    'CALLBACK_PATH',
    `The callback URL leads to ${path}, and salesforceAuth() is mounted at ${mountPath}, so it seems that it does not get the ` +
      `callback: users who come back from Salesforce would find no page. Mount it at the root, or set callbackURL to a path ` +
      `below ${mountPath}. If a proxy leads ${path} to ${mountPath}, there is nothing to do.`,
  );
}

/** A path as routes are compared. */
export function withoutSlash(path: string): string {
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}
