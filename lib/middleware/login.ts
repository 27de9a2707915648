import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Passport } from 'passport';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { checkNames } from '../options/check';
import { parseDisplay, parsePrompt } from '../options/configuration';
import { provenLogins } from '../strategy/attempt';
import { transactionKeys, type AuthenticateOptions } from '../strategy/options';
import { SalesforceStrategy } from '../strategy/strategy';
import { completeLogin, holdsOf, type Verified } from './complete';
import type { AuthCore } from './core';
import { countLogin } from './login-loop';
import { chosenBaseUrl, textOf } from './organization-choice';
import { safeReturnTo } from './return-to';
import { requireSession } from './session';

/** What a login handler can set; what it leaves out comes from the request's query or the configuration. */
export interface LoginOptions extends Pick<
  AuthenticateOptions,
  'prompt' | 'display' | 'loginHint' | 'scope' | 'baseUrl' | 'authorizationParams'
> {
  /** Path to return to; anything but a path on this origin is ignored. Default: `returnTo` of the query, else `homePath`. */
  returnTo?: string | undefined;
  /**
   * Add the login to those the session has, rather than replacing them; it becomes the current one. Default: `add=true` of
   * the query.
   */
  add?: boolean | undefined;
}

const loginOptionNames = [
  'prompt',
  'display',
  'loginHint',
  'scope',
  'baseUrl',
  'authorizationParams',
  'returnTo',
  'add',
] as const satisfies readonly (keyof LoginOptions)[];

/** Passport's name for the strategy of a middleware, in a Passport of its own. */
const strategyName = 'salesforce';

/** What a login carries through Salesforce and back, sealed in its cookie. */
interface AppState {
  returnTo?: string | undefined;
  /** Holds of the session the login is to be added to. */
  addTo?: string[] | undefined;
}

/** The two ends of a login. */
export class LoginRoutes {
  readonly #core: AuthCore;
  // A Passport of its own: the application's may know another strategy of that name.
  readonly #passport: InstanceType<typeof Passport>;

  constructor(core: AuthCore) {
    this.#core = core;
    this.#passport = new Passport();
    const { source, secrets, clock } = core.options;
    const strategy = new SalesforceStrategy(
      {
        source,
        clock,
        name: strategyName,
        transactionKeys: transactionKeys(secrets, source),
        passReqToCallback: false,
        skipUserProfile: false,
        onAbandoned: (tokens) => void core.grants.discard(tokens),
      },
      // Passport counts the parameters: with fewer than five there would be no params.
      (_accessToken, _refreshToken, params, profile, done) => {
        const proven = provenLogins.get(params);
        if (!proven) done(new Error('The login came back without proof.'));
        else done(null, { proven, profile });
      },
    );
    this.#passport.use(strategyName, strategy);
  }

  /**
   * A route handler that sends the browser to Salesforce.
   *
   * @throws SalesforceOptionError here and now for a wrong option
   */
  begin(options: LoginOptions = {}): RequestHandler {
    checkNames(options, loginOptionNames, 'login()');
    parsePrompt(options.prompt);
    parseDisplay(options.display);
    return (req, res, next) => {
      this.#begin(req, res, next, options).catch(next);
    };
  }

  async #begin(req: Request, res: Response, next: NextFunction, options: LoginOptions): Promise<void> {
    requireSession(req);
    res.set('Cache-Control', 'no-store');
    const { returnTo, add, ...given } = options;
    const loginHint = given.loginHint ?? textOf(req.query['login_hint']);
    const baseUrl = given.baseUrl ?? chosenBaseUrl(req, await this.#core.options.source.resolve({ req }));
    const authenticate: AuthenticateOptions = {
      ...given,
      ...(loginHint === undefined ? {} : { loginHint }),
      ...(baseUrl === undefined ? {} : { baseUrl }),
      state: {
        returnTo: safeReturnTo(returnTo ?? req.query['returnTo']),
        addTo: (add ?? req.query['add'] === 'true') ? holdsOf(req, this.#core) : undefined,
      } satisfies AppState,
    };
    (this.#passport.authenticate(strategyName, { session: false, ...authenticate } as never) as RequestHandler)(
      req,
      res,
      next,
    );
  }

  /** The route Salesforce sends the browser back to. Whatever fails, the session stays as it was. */
  readonly end: RequestHandler = (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    if (req.query['code'] === undefined && req.query['error'] === undefined && req.query['state'] === undefined) {
      next(
        new SalesforceAuthError(
          'ERR_SALESFORCE_STATE_MISSING',
          'The callback was opened without the answer of a login. Start the login from the application.',
          { status: 403 },
        ),
      );
      return;
    }
    const done = (error: unknown, verified?: Verified | false | null, info?: unknown): void => {
      if (error || !verified) {
        next(asError(error ?? info));
        return;
      }
      const { state } = (info ?? {}) as { state?: AppState };
      this.#complete(req, res, verified, state ?? {}).catch(next);
    };
    (this.#passport.authenticate(strategyName, { session: false }, done) as RequestHandler)(req, res, next);
  };

  async #complete(req: Request, res: Response, verified: Verified, appState: AppState): Promise<void> {
    await completeLogin(this.#core, req, verified, appState.addTo);
    const target = safeReturnTo(appState.returnTo) ?? this.#core.options.homePath;
    countLogin(req, res, target);
    res.redirect(target);
  }
}

/** Passport says `fail` with a challenge where it means an error; ours are errors already. */
function asError(failure: unknown): unknown {
  if (failure instanceof Error || isSalesforceAuthError(failure)) return failure;
  return new SalesforceAuthError('ERR_SALESFORCE_AUTHORIZATION', 'The login failed. Start it again.', { status: 401 });
}
