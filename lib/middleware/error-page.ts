import type { Application, ErrorRequestHandler, Request, Response } from 'express';
import { isSalesforceAuthError, situationOf, type SalesforceErrorCode } from '../errors';
import { endedTransactions } from '../strategy/attempt';
import type { AuthCore } from './core';
import { errorHtml } from './error-html';
import { mountPathOf } from './mount-path';
import { isNavigation } from './navigation';
import { pageHeaders } from './page-html';
import { attached, type RequestSalesforce } from './request';
import { safeReturnTo } from './return-to';

/** What an error page may show. Nothing in it is secret, and nothing of it was written by anybody else. */
export interface ErrorPageDetails {
  code: SalesforceErrorCode;
  /** HTTP status the response has. */
  status: number;
  /** A few words that say what happened. */
  title: string;
  /** A sentence or two that say what to do. */
  message: string;
  /** Whether it passes by itself. */
  isTransient: boolean;
  /** Seconds after which another try makes sense. */
  retryAfterSeconds: number | undefined;
  /** What the page offers, the most helpful first; paths of this application. */
  links: readonly { label: string; href: string }[];
}

/** Shows an error in place of the page of this package; the status is set already. */
export type ErrorPage = (details: ErrorPageDetails, req: Request, res: Response) => void | Promise<void>;

/**
 * Mounts the page behind everything else, the application's own error handlers included, so that it shows what none of
 * them has answered. That is known once requests come in, and not when the middleware is made.
 */
export function errorPageMount(core: AuthCore): (req: Request) => void {
  /** Applications that have the page already. */
  const known = new WeakSet<Application>();
  let last: Application | undefined;
  return (req) => {
    let { app } = req as { app?: Application };
    // Nearly always the application of the request before, or none.
    if (!app || app === last) return;
    last = app;
    if (known.has(app)) return;
    known.add(app);
    for (let outer = parentOf(app); outer; outer = parentOf(outer)) app = outer;
    if (known.has(app) && app !== req.app) return;
    known.add(app);
    app.use(lastErrorHandler(core));
  };
}

function parentOf(app: Application): Application | undefined {
  return (app as Application & { parent?: Application }).parent;
}

function lastErrorHandler(core: AuthCore): ErrorRequestHandler {
  return function salesforceErrorPage(error: unknown, req, res, next) {
    const salesforce = attached(req, core.options.property);
    if (!isSalesforceAuthError(error) || salesforce?.core !== core || res.headersSent) {
      next(error);
      return;
    }
    const details = detailsOf(error, req, salesforce);
    // Express would print it; the user's page does not say what the operator has to do.
    if (details.status >= 500) process.emitWarning(`${error.code}: ${error.message}`, 'SalesforceAuthWarning');
    res.status(details.status);
    if ('headers' in error) res.set(error.headers);
    res.set('Cache-Control', 'no-store');
    res.vary('Accept');
    if (!isNavigation(req)) {
      const { code, title: _title, ...rest } = details;
      res.json({ error: code, ...rest });
      return;
    }
    const { errorPage } = core.options;
    if (errorPage) {
      Promise.resolve()
        .then(() => errorPage(details, req, res))
        .catch(next);
      return;
    }
    res.set(pageHeaders).type('html').send(errorHtml(details));
  };
}

type AnyError = Error & {
  code: SalesforceErrorCode;
  status: number;
  retryAfterSeconds?: number | undefined;
  offersLogin?: boolean | undefined;
};

function detailsOf(error: AnyError, req: Request, salesforce: RequestSalesforce): ErrorPageDetails {
  const { title, userMessage, isTransient, next } = situationOf(error);
  const { routes, homePath } = salesforce.core.options;
  const home = { label: 'Go to the start page', href: homePath };
  const { returnTo, org, isOwnRoute } = originOf(req, salesforce);
  const links = [home];
  if (next === 'try-again' && !isOwnRoute && returnTo !== undefined) {
    links.unshift({ label: 'Try again', href: returnTo });
  } else if (next !== 'home' && routes.login !== false) {
    const query = new URLSearchParams({
      ...(org === undefined ? {} : { org }),
      ...(returnTo === undefined ? {} : { returnTo }),
    }).toString();
    const href = salesforce.mountPath + routes.login + (query === '' ? '' : `?${query}`);
    links.unshift({ label: next === 'log-in' ? 'Log in again' : 'Try again', href });
  }
  if (error.offersLogin === true && next === 'try-again' && routes.login !== false && !isOwnRoute) {
    const query = returnTo === undefined ? '' : `?returnTo=${encodeURIComponent(returnTo)}`;
    links.splice(-1, 0, { label: 'Log in again', href: salesforce.mountPath + routes.login + query });
  }
  const { code, status, retryAfterSeconds } = error;
  return { code, status, title, message: userMessage, isTransient, retryAfterSeconds, links };
}

/** Where the user was going, and to which organization: as the login knew it, else from the request. */
function originOf(
  req: Request,
  { core, mountPath }: RequestSalesforce,
): { returnTo: string | undefined; org: string | undefined; isOwnRoute: boolean } {
  const { routes, source } = core.options;
  const transaction = endedTransactions.get(req);
  if (transaction) {
    const { appState, baseUrl } = transaction;
    const { returnTo } = (appState ?? {}) as { returnTo?: unknown };
    const isOther = source.fixed !== undefined && source.fixed.baseUrl !== baseUrl;
    return { returnTo: safeReturnTo(returnTo), org: isOther ? baseUrl : undefined, isOwnRoute: true };
  }
  const path = mountPathOf(req.originalUrl.split('?')[0] ?? '');
  const isAt = (route: string | false): boolean => route !== false && path === mountPath + route;
  if (isAt(routes.login)) {
    const { org } = req.query;
    const isText = typeof org === 'string' && org.length <= 255;
    return { returnTo: safeReturnTo(req.query['returnTo']), org: isText ? org : undefined, isOwnRoute: true };
  }
  const isOwnRoute = isAt(routes.callback) || isAt(routes.logout) || req.query['state'] !== undefined;
  const isPage = req.method === 'GET' || req.method === 'HEAD';
  return { returnTo: isPage && !isOwnRoute ? safeReturnTo(req.originalUrl) : undefined, org: undefined, isOwnRoute };
}
