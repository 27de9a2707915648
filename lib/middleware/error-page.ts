import type { Application, ErrorRequestHandler, NextFunction, Request, Response } from 'express';
import { errorFrom, isSalesforceAuthError, userMessageOf } from '../errors';
import { invalid } from '../options/check';
import type { AuthContext } from './context';
import type { ErrorPage, ErrorPageDetails } from './error-details';
import { errorHtml } from './error-html';
import { linksOf, userKept, type AnyError } from './error-links';
import { pageHeaders } from './page-html';
import { sendProblem } from './problem';
import { isOfOther } from './session-logins';
import { attached, type RequestSalesforce } from './request';
import { isNavigation, type Visit } from './visit';

/** How long the page of the application may take until its response begins, in milliseconds. */
const ownPageMs = 30_000;

/** The same, once the promise of its function is fulfilled: a template may still be read. */
const unsentMs = 5_000;

/**
 * Mounts the page behind everything else, also behind the application's own error handlers, so that it shows what they have
 * not answered. Their place is known once requests come in, not when the middleware is made.
 */
export function errorPageMount(core: AuthContext): (req: Request) => void {
  /** Applications that have the page already. */
  const known = new WeakSet<Application>();
  let last: Application | undefined;
  return (req) => {
    let { app } = req as { app?: Application };
    // Nearly always the application of the previous request, or none.
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

function lastErrorHandler(core: AuthContext): ErrorRequestHandler {
  return function salesforceErrorPage(error: unknown, req, res, next) {
    const salesforce = attached(req, core.options.property);
    if (!isSalesforceAuthError(error) || salesforce?.core !== core || isOfOther(core, error) || res.headersSent) {
      next(error);
      return;
    }
    // The page for the user does not say what the operator has to do.
    core.report(error);
    if ('headers' in error) res.set(error.headers);
    res.vary('Accept');
    if (!isNavigation(req)) {
      const { status, title, message: detail, code, isTransient, retryAfterSeconds } = textsOf(error, req, salesforce);
      sendProblem(res, { status, title, detail, code, isTransient, retryAfterSeconds });
      return;
    }
    detailsOf(error, { req, res }, salesforce)
      .then((details) => {
        if (res.headersSent) return;
        res.status(details.status).set('Cache-Control', 'no-store');
        const { errorPage } = core.options;
        if (errorPage) showOwn(core, { errorPage, details }, { req, res, next });
        else send(res, details);
      })
      .catch(next);
  };
}

function send(res: Response, details: ErrorPageDetails): void {
  res.set(pageHeaders()).type('html').send(errorHtml(details));
}

/** Lets the application show the page. If its function sends nothing, the user gets the page of this package. */
function showOwn(
  core: AuthContext,
  { errorPage, details }: { errorPage: ErrorPage; details: ErrorPageDetails },
  { req, res, next }: { req: Request; res: Response; next: NextFunction },
): void {
  const { clock, reporter } = core.options;
  const sendInstead = (): void => {
    if (res.headersSent) return;
    reporter.warn(
      'ERROR_PAGE',
      'The function pages.error has sent nothing, so the user got the page of this package. Send the page by its third ' +
        'parameter, res, and return a promise if the function waits for something.',
    );
    send(res, details);
  };
  const cancels = [clock.setTimer(ownPageMs, sendInstead)];
  const cancel = (): void => {
    for (const one of cancels) one();
  };
  res.once('close', cancel);
  const shown = (async () => {
    const result: unknown = errorPage(details, req, res);
    refuseText(await result);
    if (isThenable(result) && !res.closed) cancels.push(clock.setTimer(unsentMs, sendInstead));
  })();
  shown.catch((failure: unknown) => {
    cancel();
    core.noteApplicationError('The page of an error', failure);
    if (!res.headersSent) next(errorFrom(failure));
  });
}

function isThenable(value: unknown): boolean {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

async function detailsOf(error: AnyError, visit: Visit, salesforce: RequestSalesforce): Promise<ErrorPageDetails> {
  const links = await linksOf(error, visit, salesforce).catch(() => []);
  return { ...textsOf(error, visit.req, salesforce), links };
}

function textsOf(error: AnyError, req: Request, salesforce: RequestSalesforce): Omit<ErrorPageDetails, 'links'> {
  const { title, userMessage, isTransient } = userMessageOf(error);
  const { code, status, retryAfterSeconds } = error;
  const operatorMessage = isDeveloper(req) ? error.message : undefined;
  const kept = unlessItFails(() => userKept(error, salesforce));
  const message = kept === undefined ? userMessage : `You were logged in as ${kept} before, and can go on.`;
  return { code, status, title, message, isTransient, retryAfterSeconds, operatorMessage };
}

/** The page may be about a `publicUrl` or a `tenant` that fails, so the page does not need them. */
function unlessItFails<Value>(get: () => Value): Value | undefined {
  try {
    return get();
  } catch {
    return undefined;
  }
}

/** A page that is returned and not sent would leave the request without an answer. */
function refuseText(page: unknown): void {
  if (typeof page === 'string')
    throw invalid('pages.error', 'a function that sends the page by its third parameter, res');
}

/**
 * Whether the person at the browser is the developer. Express calls an application without `NODE_ENV` a development too, so
 * the request has to come from this machine as well, and through no proxy.
 */
function isDeveloper(req: Request): boolean {
  const { app, headers, socket } = req;
  const isForwarded = Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  return app.get('env') === 'development' && !isForwarded && /^(?:127(?:\.\d+){3}|::1)$/.test(address);
}
