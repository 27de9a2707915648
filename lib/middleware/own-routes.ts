import type { Request } from 'express';
import { isAnswer } from '../query';
import { callbackPathBelowRoot, withoutSlash } from './callback-path';
import type { AuthContext } from './context';
import { safeReturnTo } from './return-to';

/**
 * Whether a path, as browsers see it, is that of a route of this package. A login must not lead back to one: at the login a user
 * would go round without end, and a callback is good once.
 *
 * @param path with its query, if it has one
 */
function isOwnRoute(core: AuthContext, req: Request, path: string): boolean {
  const { addresses, routes } = core.options;
  const wanted = withoutSlash(path.split(/[?#]/)[0] ?? '');
  const mountPath = core.mountPathOf(req);
  const own = [routes.login, routes.callback, routes.choose, routes.logout, routes.status];
  if (own.some((route) => route !== false && wanted === withoutSlash(addresses.pathOf(req, mountPath, route))))
    return true;
  // The callback URL may be that of a page, too, and is the callback only with the answer of a login.
  const callback = callbackPathBelowRoot(core.options);
  if (routes.callback === false || callback === undefined) return false;
  return wanted === addresses.pathOf(req, '', callback) && isAnswer({ url: path });
}

/** Whether a request was one to a route of this package. */
export function isAtOwnRoute(core: AuthContext, req: Request): boolean {
  return isOwnRoute(core, req, core.options.addresses.currentPath(req));
}

/** A page to which a login may return: a safe path, and no route of this package. */
export function returnToPage(core: AuthContext, req: Request, value: unknown): string | undefined {
  const path = safeReturnTo(value);
  return path === undefined || isOwnRoute(core, req, path) ? undefined : path;
}

/** The route at which a user begins a login: the page on which the user chooses an organization, if there is one. */
export function firstRoute({ login, choose }: AuthContext['options']['routes']): string | false {
  return choose === false ? login : choose;
}
