import type { Request } from 'express';
import { SalesforceAuthError, userMessageOf, type SalesforceErrorCode } from '../errors';
import { intentParameter, withQuery } from './login-intent';
import type { AppState } from './login-route';
import type { PageLink } from './pages';
import type { RequestSalesforce } from './request';
import { parameterOf, withoutQuery } from '../query';
import { textOf } from './organization-choice';
import { firstRoute } from './own-routes';
import { safeReturnTo } from './return-to';
import { isNeverAskedFor } from './scopes';
import { nameOfUser } from './user';
import type { Visit } from './visit';

/** Any error of this package. */
export type AnyError = Error & {
  code: SalesforceErrorCode;
  status: number;
  retryAfterSeconds?: number | undefined;
  /** Whether a login may help as well, since the trouble lasts. */
  offersLogin?: boolean | undefined;
  /** Whether the user may be logged in or logged out. */
  leavesLoginUnknown?: boolean | undefined;
};

/** Errors after which the same user would be refused again. */
const refusals: readonly SalesforceErrorCode[] = [
  'ERR_SALESFORCE_USER_NOT_ALLOWED',
  'ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED',
  'ERR_SALESFORCE_WRONG_ORGANIZATION',
  'ERR_SALESFORCE_USER_INTERFACE_DENIED',
  'ERR_SALESFORCE_USER_INACTIVE',
  'ERR_SALESFORCE_LOGIN_RESTRICTED',
];

/** What an error page offers: a new login, the same again, and the start page. */
export async function linksOf(
  error: AnyError,
  { req, res }: Visit,
  salesforce: RequestSalesforce,
): Promise<PageLink[]> {
  const { next } = userMessageOf(error);
  const { addresses, routes, homePath } = salesforce.core.options;
  const home = { label: 'Go to the start page', href: addresses.pathOf(req, '', homePath) };
  const { returnTo, org, isOwnRoute, logout } = originOf(error, req, salesforce);
  // As a guard would, a page leads to the picker of organizations, if there is one. A login that failed has its organization.
  const first = isOwnRoute ? routes.login : firstRoute(routes);
  // The logout by a link shows a page with a button.
  if (next === 'try-again' && logout !== undefined) return [{ label: 'Try again', href: logout }, home];
  if (next === 'try-again' && !isOwnRoute && returnTo !== undefined) {
    const again = { label: 'Try again', href: returnTo };
    if (error.offersLogin !== true || first === false) return [again, home];
    const login = addresses.pathOf(req, salesforce.mountPath, first);
    return [again, { label: 'Log in again', href: withQuery(login, { returnTo }) }, home];
  }
  const cannotHelp = isNeverAskedFor(error, salesforce.core.options.source.fixed?.scope);
  if (next === 'home' || first === false || routes.login === false || cannotHelp) return [home];
  const isRefusal = refusals.includes(error.code);
  const label = isRefusal ? 'Log in with another user' : next === 'log-in' ? 'Log in again' : 'Try again';
  // A user who denied access may have seen the name of another one.
  const otherUser = isRefusal || error.code === 'ERR_SALESFORCE_ACCESS_DENIED';
  const intent =
    otherUser && !asksAnyway(salesforce)
      ? await salesforce.core.intents.sealer(req, res)({ org, returnTo, otherUser })
      : undefined;
  const login = addresses.pathOf(req, salesforce.mountPath, intent === undefined ? first : routes.login);
  const again = { label, href: withQuery(login, { org, returnTo, [intentParameter]: intent }) };
  const user = userKept(error, salesforce);
  if (user === undefined) return [again, home];
  return [{ label: `Go on as ${user}`, href: returnTo ?? home.href }, again];
}

/** Whether Salesforce asks for a user at each login, as the configuration says. */
function asksAnyway({ core }: RequestSalesforce): boolean {
  const prompt = core.options.source.fixed?.prompt;
  return prompt === 'login' || prompt === 'login consent';
}

/** Errors of a login that was not completed. They leave a login that the session has already. */
const incomplete: readonly SalesforceErrorCode[] = ['ERR_SALESFORCE_STATE_MISMATCH', 'ERR_SALESFORCE_LOGIN_EXPIRED'];

/**
 * Who is logged in although a login was not completed: of many tabs that wait at Salesforce, the browser has forgotten the first, and
 * the user has logged in by another.
 */
export function userKept({ code }: AnyError, { entry }: RequestSalesforce): string | undefined {
  return incomplete.includes(code) && entry ? nameOfUser(entry.user) : undefined;
}

interface Origin {
  returnTo: string | undefined;
  org: string | undefined;
  /** Whether the request was one to a route of this package, which is no page to return to. */
  isOwnRoute: boolean;
  /** Path of the logout route, if the request was one to it. */
  logout?: string | undefined;
}

/** The page and organization that the user wanted, from the login if it is known, else from the request. */
function originOf(error: AnyError, req: Request, { core, mountPath }: RequestSalesforce): Origin {
  const { addresses, routes, source } = core.options;
  const login = error instanceof SalesforceAuthError ? error.login : undefined;
  if (login) {
    const { returnTo } = (login.appState ?? {}) as AppState;
    const isOther = source.fixed !== undefined && source.fixed.baseUrl !== login.baseUrl;
    return {
      returnTo: safeReturnTo(returnTo),
      org: isOther ? nameOf(core, login.baseUrl) : undefined,
      isOwnRoute: true,
    };
  }
  const path = withoutQuery(addresses.currentPath(req));
  const isAt = (route: string | false): boolean => route !== false && path === addresses.pathOf(req, mountPath, route);
  if (isAt(routes.login)) {
    return {
      returnTo: safeReturnTo(parameterOf(req, 'returnTo')),
      org: textOf(parameterOf(req, 'org')),
      isOwnRoute: true,
    };
  }
  const isOwnRoute = isAt(routes.callback) || isAt(routes.logout) || parameterOf(req, 'state') !== undefined;
  const isPage = req.method === 'GET' || req.method === 'HEAD';
  const current = addresses.currentPath(req);
  return {
    returnTo: isPage && !isOwnRoute ? safeReturnTo(current) : undefined,
    org: undefined,
    isOwnRoute,
    logout: isAt(routes.logout) ? path : undefined,
  };
}

/** An organization as a link names it: by the name the application gave it, else by its host. */
function nameOf({ options }: RequestSalesforce['core'], baseUrl: string): string {
  const named = Object.entries(options.source.fixed?.organizations ?? {}).find(([, url]) => url === baseUrl);
  return named?.[0] ?? baseUrl;
}
