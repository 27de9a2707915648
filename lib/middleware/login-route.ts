import type { Request, Response } from 'express';
import { SalesforceAuthError } from '../errors';
import { moveParameter, type MovedLogin } from '../login/move';
import { isCallback } from '../login/request';
import type { AuthenticateOptions } from '../strategy/options';
import { holdersOf } from './create-session';
import type { AuthContext } from './context';
import { drive } from './drive';
import { checkLoopAtLogin } from './login-loop';
import { intentParameter, withQuery, type LoginIntent } from './login-intent';
import { baseUrlOf, textOf } from './organization-choice';
import { refusePrefetch, sendFramed, sendLinks, type PageLink } from './pages';
import { sendProblem } from './problem';
import { safeReturnTo } from './return-to';
import { entriesOf, requireSession } from './session';
import { hasSilentFailed, noteSilentFailure } from './silent-login';
import { isFramed, isFromOwnPage, isLedByAnotherSite, isPrefetch, isScript } from './visit';

/** What a login handler can set; what it leaves out comes from the request's query or the configuration. */
export interface LoginOptions extends Pick<
  AuthenticateOptions,
  'prompt' | 'display' | 'loginHint' | 'scope' | 'baseUrl' | 'authorizationParams' | 'silent'
> {
  /**
   * Path to return to, up to 2048 characters; anything but a path on this origin is ignored. Default: `returnTo` of the query,
   * else `pages.home`.
   */
  returnTo?: string | undefined;
  /**
   * Add the login to those the session has, ten at most, rather than replacing them; it becomes the current one. Default:
   * `add=true` of the query.
   */
  add?: boolean | undefined;
}

/** What a login carries through Salesforce and back, sealed in its cookie. */
export interface AppState {
  returnTo?: string | undefined;
  /** Holders of the session the login is to be added to. */
  addTo?: string[] | undefined;
  /** Origin to return to, if the login began at another host of the application than that of the callback. */
  returnOrigin?: string | undefined;
  isSilent?: boolean | undefined;
}

/** What a request asks of the login beside a plain login. */
interface Wish {
  returnTo: string | undefined;
  org: string | undefined;
  baseUrl: string | undefined;
  add: boolean;
}

interface Visit {
  req: Request;
  res: Response;
}

/**
 * The route that sends the browser to Salesforce.
 *
 * Another site may lead a browser to the plain login of the configured host, as the App Launcher of Salesforce does, and only
 * if the session has no login. For anything more, a page of ours asks the user first.
 */
export async function startLogin(core: AuthContext, options: LoginOptions, { req, res }: Visit): Promise<void> {
  res.set('Cache-Control', 'no-store');
  const { addresses, homePath } = core.options;
  if (isPrefetch(req)) {
    refusePrefetch(res);
    return;
  }
  const here = addresses.currentPath(req);
  if (isScript(req)) {
    sendProblem(res, {
      status: 401,
      title: 'A login is a navigation',
      detail:
        'Salesforce cannot be asked by a script. Send the browser to this address, for instance by location.assign().',
      code: 'ERR_SALESFORCE_NOT_AUTHENTICATED',
      login: here,
    });
    return;
  }
  if (isFramed(req)) {
    sendFramed(res, here);
    return;
  }
  // Its code is not presented, since its tokens would be lost.
  if (isCallback(req)) throw loginExpected();
  requireSession(req);
  const intent = await core.intents.read(req);
  const moved = await core.moves.read(req);
  const wish = wishOf(req, options, intent ?? {});
  const target = wish.returnTo ?? addresses.pathOf(req, '', homePath);
  const asks = !intent && !isFromOwnPage(req, addresses) && needsAsking(core, req, { wish, moved });
  if (options.silent === true && (asks || isLedByAnotherSite(req) || (await hasSilentFailed(core, req)))) {
    res.redirect(target);
    return;
  }
  if (asks) {
    await ask(core, { req, res }, { wish, moved });
    return;
  }
  try {
    if (!moved) await checkLoopAtLogin(core, req, target);
  } catch (error) {
    if (options.silent !== true || !(error instanceof SalesforceAuthError)) throw error;
    core.noteFailedLogin(error);
    await noteSilentFailure(core, req, res);
    res.redirect(target);
    return;
  }
  const strategy = await core.strategy.load();
  const driven = await drive(strategy, req, await authenticateOptions(core, req, { options, wish }));
  if ('redirectTo' in driven) res.redirect(driven.redirectTo);
  else throw loginExpected();
}

function wishOf(req: Request, options: LoginOptions, intent: LoginIntent): Wish {
  const { query } = req;
  return {
    returnTo: safeReturnTo(options.returnTo ?? intent.returnTo ?? query['returnTo']),
    org: options.baseUrl === undefined ? (intent.org ?? textOf(query['org'])?.trim()) : undefined,
    baseUrl: options.baseUrl,
    add: options.add ?? intent.add ?? query['add'] === 'true',
  };
}

async function authenticateOptions(
  core: AuthContext,
  req: Request,
  { options, wish }: { options: LoginOptions; wish: Wish },
): Promise<AuthenticateOptions> {
  const { returnTo: _returnTo, add: _add, ...call } = options;
  const { addresses } = core.options;
  const loginHint = call.loginHint ?? textOf(req.query['login_hint']);
  const baseUrl = wish.baseUrl ?? (await baseUrlOf(core, req, wish.org));
  const at = addresses.listedAt(req);
  const state: AppState = {
    returnTo: wish.returnTo,
    addTo: wish.add ? holdersOf(req, core) : undefined,
    returnOrigin: at && at !== addresses.listed[0] ? at.origin : undefined,
    isSilent: options.silent,
  };
  return {
    ...call,
    ...(loginHint === undefined ? {} : { loginHint }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    state,
  };
}

/** Whether a request that no page of ours led here asks for more than another site may begin. */
function needsAsking(
  core: AuthContext,
  req: Request,
  { wish, moved }: { wish: Wish; moved: MovedLogin | undefined },
): boolean {
  const { addTo } = (moved?.options['appState'] ?? {}) as AppState;
  const asksForMore =
    wish.org !== undefined || wish.baseUrl !== undefined || wish.add || moved?.options['baseUrl'] !== undefined;
  return asksForMore || addTo !== undefined || entriesOf(req, core.options.session).length > 0;
}

/** Lets the user decide on a login that another site, a bookmark or a typed address began. */
async function ask(
  core: AuthContext,
  { req, res }: Visit,
  { wish, moved }: { wish: Wish; moved: MovedLogin | undefined },
): Promise<void> {
  const { addresses, session, homePath } = core.options;
  const [entry] = entriesOf(req, session);
  const { returnTo, org, add } = wish;
  // Checked now, so that the page names the host to which the login will go.
  const baseUrl =
    wish.baseUrl ?? (await baseUrlOf(core, req, org)) ?? (moved?.options['baseUrl'] as string | undefined);
  const intent = await core.intents.sealer(req, res)({ returnTo, org, add });
  const mark = req.query[moveParameter];
  const path = addresses.currentPath(req).split('?')[0] ?? '';
  const goOn = withQuery(path, {
    [intentParameter]: intent,
    ...(typeof mark === 'string' ? { [moveParameter]: mark } : {}),
    login_hint: textOf(req.query['login_hint']),
  });
  const back = returnTo ?? addresses.pathOf(req, '', homePath);
  const where = baseUrl === undefined ? 'Salesforce' : new URL(baseUrl).host;
  const name = entry && (entry.user.displayName ?? entry.user.username ?? entry.user.userId);
  const links: PageLink[] =
    name === undefined
      ? [
          { label: 'Log in', href: goOn },
          { label: 'Do not log in', href: back },
        ]
      : [
          { label: `Stay logged in as ${name}`, href: back },
          { label: add ? 'Log in there as well' : 'Log in as another user', href: goOn },
        ];
  sendLinks(res, {
    title: 'Log in with Salesforce?',
    sentences: [
      `You followed a link that asks you to log in at ${where}.`,
      name === undefined ? 'Log in only if you expect this.' : `You are logged in as ${name} already.`,
    ],
    links,
  });
}

/** The login route was opened with the parameters of a callback. */
function loginExpected(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    'Salesforce sent a login back to the login route. Register the URL of the callback route as callback URL, and set callbackURL to it.',
    { status: 400 },
  );
}
