import type { NextFunction, Request, Response } from 'express';
import { errorFrom, SalesforceAuthError } from '../errors';
import { withoutQuery } from '../query';
import { intentParameter, withQuery } from './login-intent';
import { checkLoginLoop } from './login-loop';
import { firstRoute, returnToPage } from './own-routes';
import { refusePrefetch, sendFramed, sendLinks } from './pages';
import { sendProblem } from './problem';
import type { RequestSalesforce } from './request';
import { entriesOf, requireSession, stateOf } from './session';
import { isFramed, isNavigation, isPrefetch, ownPageOf } from './visit';
import { forgetLogin } from './session-logins';

/** A request that needs a login. */
interface Refused {
  req: Request;
  res: Response;
  next: NextFunction;
  /** Whether a route has begun to answer the request. */
  isMidway?: boolean;
}

/**
 * Answers a request that needs a login: sends a page to the login and back, shows a form's user where to log in, and answers a
 * script 401.
 *
 * @param cause the error of the login that the request had, if it had one
 */
export function sendToLogin(refused: Refused, salesforce: RequestSalesforce, cause?: unknown): void {
  answer(refused, salesforce, cause).catch((error: unknown) => {
    refused.next(errorFrom(error));
  });
}

async function answer(
  { req, res, isMidway = false }: Refused,
  salesforce: RequestSalesforce,
  cause: unknown,
): Promise<void> {
  const { core, mountPath } = salesforce;
  const { addresses, routes, homePath, reporter } = core.options;
  requireSession(req);
  if (cause instanceof SalesforceAuthError) await forgetLogin(core, req, cause);
  res.set('Cache-Control', 'no-store');
  if (isPrefetch(req)) {
    refusePrefetch(res);
    return;
  }
  const repetition = addresses.repetition(req, withoutQuery(req.originalUrl));
  if (repetition !== undefined) reporter.warn('PUBLIC_URL_PATH', repetition);
  const first = firstRoute(routes);
  const login = first === false ? undefined : addresses.pathOf(req, mountPath, first);
  if (login === undefined || !isNavigation(req)) {
    sendProblem(res, {
      status: 401,
      title: 'Please log in',
      detail: 'Log in with Salesforce first.',
      code: 'ERR_SALESFORCE_NOT_AUTHENTICATED',
      login,
    });
    return;
  }
  const isForm = req.method !== 'GET' && req.method !== 'HEAD';
  const returnTo = returnToPage(core, req, isForm ? ownPageOf(req, addresses) : addresses.currentPath(req));
  if (isFramed(req)) {
    sendFramed(res, withQuery(login, { returnTo }));
    return;
  }
  if (!isForm) await checkLoginLoop(core, req, addresses.currentPath(req), cause);
  const target = await loginTarget(salesforce, { req, res }, { login, returnTo });
  if (!isForm) {
    res.redirect(target);
    return;
  }
  // What was posted is gone, at least in part, and a redirect would hide that.
  res.status(401);
  sendLinks(res, {
    title: 'Please log in',
    sentences: isMidway
      ? [
          'Your login ended meanwhile, so what you sent may be taken in part.',
          'Log in, and see what is there before you send it again.',
        ]
      : ['Your login has ended, so what you sent was not taken.', 'Log in, and send it again.'],
    links: [
      { label: 'Log in', href: target },
      { label: 'Go to the start page', href: addresses.pathOf(req, '', homePath) },
    ],
  });
}

/** The path of the login with what the login has to know. */
async function loginTarget(
  { core }: RequestSalesforce,
  { req, res }: Pick<Refused, 'req' | 'res'>,
  { login, returnTo }: { login: string; returnTo: string | undefined },
): Promise<string> {
  const { session } = core.options;
  // The user stays logged in to other organizations. Our seal says so, since another site may have led here.
  const add = entriesOf(req, session).length > 0;
  // A session that lives in its cookie still names the ended login, and another process would look it up.
  if (!add && stateOf(req, session) === undefined) return withQuery(login, { returnTo });
  return withQuery(login, { [intentParameter]: await core.intents.sealer(req, res)({ returnTo, add }) });
}
