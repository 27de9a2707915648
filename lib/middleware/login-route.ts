import type { Request } from 'express';
import { SalesforceAuthError } from '../errors';
import { isMove, moveParameter, type MovedLogin } from '../login/move';
import type { Prompt } from '../options/values';
import { isCallback, parameterOf, withoutQuery } from '../query';
import type { AuthenticateOptions } from '../strategy/options';
import { warnOfCallbackPath } from './callback-path';
import { holdersOf } from './create-session';
import type { AuthContext } from './context';
import { drive } from './drive';
import { checkLoginLoop, checkLoopAtLogin } from './login-loop';
import { intentParameter, withQuery, type LoginIntent } from './login-intent';
import { baseUrlOf, textOf } from './organization-choice';
import { returnToPage } from './own-routes';
import { refusePrefetch, sendFramed, sendLinks, type PageLink } from './pages';
import { sendProblem } from './problem';
import { safeReturnTo } from './return-to';
import { entriesOf, requireSession } from './session';
import { hasSilentFailed, noteSilentFailure, noteSilentMove } from './silent-login';
import { nameOfUser } from './user';
import { isFramed, isFromOwnPage, isLedByAnotherSite, isPrefetch, isScript, type Visit } from './visit';

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
  otherUser: boolean;
}

/** A login that is to begin. */
interface Start {
  options: LoginOptions;
  wish: Wish;
  /** Set if the login began at another host. */
  moved: MovedLogin | undefined;
  /** Whether a page of ours led here. */
  isOurs: boolean;
}

/**
 * The route that sends the browser to Salesforce.
 *
 * Another site may lead a browser to the plain login of the configured host, as the App Launcher of Salesforce does, and only
 * if the session has no login. For anything more, a page of ours asks the user first.
 */
export async function startLogin(core: AuthContext, options: LoginOptions, { req, res }: Visit): Promise<void> {
  res.set('Cache-Control', 'no-store');
  const { addresses } = core.options;
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
  const intent = await core.intents.read(req);
  const start: Start = {
    options,
    wish: wishOf(core, req, { options, intent: intent ?? {} }),
    moved: await core.moves.read(req),
    isOurs: intent !== undefined || isFromOwnPage(req, addresses),
  };
  if (options.silent === true) {
    await startSilently(core, { req, res }, start);
    return;
  }
  requireSession(req);
  if (needsAsking(core, req, start)) await ask(core, { req, res }, start);
  else res.redirect(await begin(core, req, start));
}

/**
 * A silent login shows the user neither a page nor an error. If it cannot begin, the user comes back at once, and is noted as one
 * whom a silent login does not help.
 */
async function startSilently(core: AuthContext, { req, res }: Visit, start: Start): Promise<void> {
  const page = pageOf(core, req, { returnTo: start.wish.returnTo, returnOrigin: movedState(start).returnOrigin });
  const back = (page.origin ?? '') + page.path;
  if (await hasSilentFailed(core, req)) {
    res.redirect(back);
    return;
  }
  try {
    requireSession(req);
    if (!needsAsking(core, req, start) && !isLedByAnotherSite(req, core.options.addresses)) {
      const redirectTo = await begin(core, req, start);
      if (isMove(redirectTo)) await noteSilentMove(core, req, res);
      res.redirect(redirectTo);
      return;
    }
  } catch (error) {
    core.noteFailedLogin(error);
  }
  await noteSilentFailure(core, req, res);
  res.redirect(back);
}

/** Begins a login: where the browser goes. */
async function begin(core: AuthContext, req: Request, start: Start): Promise<string> {
  warnOfCallbackPath(core, req);
  // Nobody asked for a silent login, so any sign of a loop is enough.
  const checkLoop = start.options.silent === true ? checkLoginLoop : checkLoopAtLogin;
  if (!start.moved) await checkLoop(core, req, pageOf(core, req, start.wish).path);
  const strategy = await core.strategy.load();
  const driven = await drive(strategy, req, await authenticateOptions(core, req, start));
  if ('redirectTo' in driven) return driven.redirectTo;
  throw loginExpected();
}

/** The page that a login is for, and the origin at which it began if the callback is at another host of the application. */
export function pageOf(
  { options }: AuthContext,
  req: Request,
  { returnTo, returnOrigin }: Pick<AppState, 'returnTo' | 'returnOrigin'>,
): { path: string; origin: string | undefined } {
  const { addresses, homePath } = options;
  return {
    path: safeReturnTo(returnTo) ?? addresses.pathOf(req, '', homePath),
    origin: addresses.listed.find(({ origin }) => origin === returnOrigin)?.origin,
  };
}

/** What a login has kept that moved here from another host. */
function movedState({ moved }: Start): AppState {
  return moved?.options['appState'] ?? {};
}

function wishOf(
  core: AuthContext,
  req: Request,
  { options, intent }: { options: LoginOptions; intent: LoginIntent },
): Wish {
  return {
    returnTo: returnToPage(core, req, options.returnTo ?? intent.returnTo ?? parameterOf(req, 'returnTo')),
    org: options.baseUrl === undefined ? (intent.org ?? textOf(parameterOf(req, 'org'))?.trim()) : undefined,
    baseUrl: options.baseUrl,
    add: options.add ?? intent.add ?? parameterOf(req, 'add') === 'true',
    // Another site must not make Salesforce ask for a password, so there is no parameter for it.
    otherUser: intent.otherUser === true,
  };
}

/** What Salesforce has to ask of a user who wants to log in as another one. Nothing but `login` is sure to let the user choose. */
async function promptForOther(core: AuthContext, req: Request, prompt: LoginOptions['prompt']): Promise<Prompt> {
  const usual = prompt ?? (await core.configurationOf(req)).prompt;
  return usual === 'consent' || usual === 'login consent' ? 'login consent' : 'login';
}

async function authenticateOptions(
  core: AuthContext,
  req: Request,
  { options, wish }: Start,
): Promise<AuthenticateOptions> {
  const { returnTo: _returnTo, add: _add, ...call } = options;
  const { addresses } = core.options;
  const loginHint = call.loginHint ?? textOf(parameterOf(req, 'login_hint'));
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
    ...(wish.otherUser ? { prompt: await promptForOther(core, req, call.prompt) } : {}),
    ...(loginHint === undefined ? {} : { loginHint }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    state,
  };
}

/**
 * Whether a request that no page of ours led here asks for more than another site may begin. What the code of the application has
 * set does not count, since no link chose that.
 */
function needsAsking(core: AuthContext, req: Request, start: Start): boolean {
  const { options, wish, moved, isOurs } = start;
  if (isOurs) return false;
  if (entriesOf(req, core.options.session).length > 0 || wish.org !== undefined) return true;
  if (options.add === undefined && (wish.add || movedState(start).addTo !== undefined)) return true;
  // A login may have moved here from a route that has another host.
  const baseUrl = moved?.options['baseUrl'];
  return baseUrl !== undefined && baseUrl !== options.baseUrl;
}

/** Lets the user decide on a login that another site, a bookmark or a typed address began. */
async function ask(core: AuthContext, { req, res }: Visit, { wish, moved }: Start): Promise<void> {
  const { addresses, session } = core.options;
  const [entry] = entriesOf(req, session);
  const { returnTo, org, add } = wish;
  // Checked now, so that the page names the host to which the login will go.
  const baseUrl =
    wish.baseUrl ?? (await baseUrlOf(core, req, org)) ?? (moved?.options['baseUrl'] as string | undefined);
  const otherUser = entry !== undefined && !add;
  const intent = await core.intents.sealer(req, res)({ returnTo, org, add, otherUser });
  const mark = parameterOf(req, moveParameter);
  const path = withoutQuery(addresses.currentPath(req));
  const goOn = withQuery(path, {
    [intentParameter]: intent,
    ...(typeof mark === 'string' ? { [moveParameter]: mark } : {}),
    login_hint: textOf(parameterOf(req, 'login_hint')),
  });
  const back = pageOf(core, req, { returnTo }).path;
  const where = baseUrl === undefined ? 'Salesforce' : new URL(baseUrl).host;
  const name = entry && nameOfUser(entry.user);
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
