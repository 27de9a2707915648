import type { Request } from 'express';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { errorFrom, SalesforceAuthError } from '../errors';
import { begin, type LoginContext } from '../login/begin';
import { LoginClaims } from '../login/claims';
import { responseOf, setCookies } from '../login/cookies';
import { finish, type FinishedLogin, type ProvenLogin } from '../login/finish';
import { isCallback } from '../query';
import { LoginMoves } from '../login/move';
import { loadProfile, type SalesforceProfile } from '../login/profile';
import { Transactions } from '../login/transactions';
import { warn } from '../reporter';
import { defaultBaseUrl } from '../salesforce/base-url';
import { endpointsOf } from '../salesforce/endpoints';
import type { TokenEndpointReply } from '../token/types';
import { answerOf, refuse, repeated, settleRequest, type Actions } from './actions';
import {
  checkCallOptions,
  checkVerify,
  strategyParts,
  type AuthenticateOptions,
  type StrategyOptions,
  type StrategyParts,
} from './options';
import { routeTokenRequests } from './token-endpoint';

/** Ends a verification: with an error, with a user, or with false for a user who may not log in. */
type VerifyDone = (error: unknown, user?: Express.User | false, info?: object) => void;

/**
 * Decides who a Salesforce user is in the application. Declare the parameters one by one: Passport counts them, and
 * without five it passes no `params`.
 */
export type SalesforceVerifyFunction =
  | ((accessToken: string, refreshToken: string | undefined, profile: SalesforceProfile, done: VerifyDone) => void)
  | ((
      accessToken: string,
      refreshToken: string | undefined,
      params: TokenEndpointReply,
      profile: SalesforceProfile,
      done: VerifyDone,
    ) => void);

/** {@link SalesforceVerifyFunction} with the request first, for `passReqToCallback`. */
export type SalesforceVerifyFunctionWithRequest =
  | ((
      req: Request,
      accessToken: string,
      refreshToken: string | undefined,
      profile: SalesforceProfile,
      done: VerifyDone,
    ) => void)
  | ((
      req: Request,
      accessToken: string,
      refreshToken: string | undefined,
      params: TokenEndpointReply,
      profile: SalesforceProfile,
      done: VerifyDone,
    ) => void);

/**
 * Passport strategy for Salesforce, usable alone in any Passport application on Express. The middleware mounts the same one.
 *
 * `state` and PKCE (S256) are always on, and a login lives in a cookie of its own, so that two tabs can log in at once. The
 * login itself is two functions, `begin` and `finish`; this class speaks Passport around them.
 *
 * No `#private` members here: Passport runs each request on an object that inherits from the strategy and would not have
 * them.
 *
 * @example
 * import passport from 'passport';
 * import { SalesforceStrategy } from 'express-salesforce-auth/strategy';
 *
 * passport.use(
 *   new SalesforceStrategy(
 *     { clientID: '3MVG9…', clientSecret: '…', callbackURL: '/callback', scope: 'openid id api' },
 *     (accessToken, refreshToken, params, profile, done) => done(null, profile),
 *   ),
 * );
 */
export class SalesforceStrategy extends OAuth2Strategy {
  private readonly _parts: StrategyParts;
  private readonly _login: LoginContext;
  private readonly _verifyUser: unknown;

  /**
   * @param verify decides who a user is, with the parameters `(accessToken, refreshToken, profile, done)` or
   *   `(accessToken, refreshToken, params, profile, done)`, and `req` first with `passReqToCallback`
   * @throws SalesforceOptionError
   */
  constructor(options: StrategyOptions & { passReqToCallback: true }, verify: SalesforceVerifyFunctionWithRequest);
  constructor(options: StrategyOptions & { passReqToCallback?: false | undefined }, verify: SalesforceVerifyFunction);
  /** @internal */
  constructor(parts: StrategyParts);
  constructor(options: StrategyOptions | StrategyParts, verify?: unknown) {
    const parts = strategyParts(options);
    if (!parts.receive) checkVerify(verify, parts.passReqToCallback);
    const { fixed } = parts.source;
    const endpoints = endpointsOf(fixed?.baseUrl ?? defaultBaseUrl);
    super(
      {
        authorizationURL: endpoints.authorization_endpoint,
        tokenURL: endpoints.token_endpoint,
        clientID: fixed?.clientID ?? 'of the tenant',
        clientSecret: '',
        state: true,
        pkce: true,
        passReqToCallback: parts.passReqToCallback,
        skipUserProfile: parts.skipUserProfile,
      } as never,
      (verify ?? (() => undefined)) as never,
    );
    const { clock, keys } = parts;
    this.name = parts.name;
    this._parts = parts;
    this._verifyUser = verify;
    this._login = {
      source: parts.source,
      addresses: parts.addresses,
      transactions: new Transactions(keys, clock),
      moves: new LoginMoves(keys, clock),
      claims: new LoginClaims(parts.claims, keys, { clock, waitMs: parts.waitMs }),
      clock,
      tenant: parts.tenant,
      defaultCallback: parts.defaultCallback,
      onAbandoned: parts.onAbandoned,
      warn: parts.warn ?? warn,
    };
    routeTokenRequests(this._oauth2, fixed, clock);
  }

  /** Begins a login, or ends one if the request is Salesforce's callback. */
  override authenticate(req: Request, options: AuthenticateOptions = {}): void {
    // Bound now: if the strategy itself was handed to Passport, the next request puts its own actions on the same object.
    const actions: Actions = {
      success: this.success.bind(this),
      fail: this.fail.bind(this),
      redirect: this.redirect.bind(this),
      error: this.error.bind(this),
    };
    const run = isCallback(req) ? this._end(req, options, actions) : this._begin(req, options, actions);
    run.catch((error: unknown) => {
      settleRequest(req, () => refuse(error, actions));
    });
  }

  /** Parameters of the authorization request beside those of the login. A subclass may add to them. */
  override authorizationParams(_options: AuthenticateOptions): object {
    return {};
  }

  /** Parameters of the token request beside those of the login. A subclass may add to them. */
  override tokenParams(_options: AuthenticateOptions): object {
    return {};
  }

  /** Loads the user's profile for Passport. A subclass may load its own. */
  override userProfile(_accessToken: string, done: (error?: unknown, profile?: SalesforceProfile) => void): void {
    const login = (this as { _proven?: ProvenLogin })._proven;
    if (!login) {
      done(new SalesforceAuthError('ERR_SALESFORCE_PROFILE', 'A profile is loaded as part of a login only.'));
      return;
    }
    loadProfile(login, login.configuration, this._parts.clock).then(
      (profile) => {
        done(null, profile);
      },
      (error: unknown) => {
        done(error);
      },
    );
  }

  private async _begin(req: Request, options: AuthenticateOptions, actions: Actions): Promise<void> {
    const { state, login_hint: loginHint, ...call } = this._callOptions(options);
    const { redirectTo, cookies } = await begin(
      req,
      {
        ...call,
        ...(loginHint === undefined ? {} : { loginHint }),
        appState: state,
        params: () => this.authorizationParams(options),
      },
      this._login,
    );
    setCookies(responseOf(req), cookies);
    settleRequest(req, () => {
      actions.redirect(redirectTo);
    });
  }

  private async _end(req: Request, options: AuthenticateOptions, actions: Actions): Promise<void> {
    this._callOptions(options);
    const { receive } = this._parts;
    const login = await finish(
      req,
      {
        tokenParams: this.tokenParams(options) as Record<string, string>,
        loadProfile: (proven) => this._profileOf(proven),
      },
      this._login,
    );
    if (receive) {
      settleRequest(req, () => {
        actions.success(receive(login) as Express.User);
      });
    } else if (login.kind === 'repeated') {
      throw repeated();
    } else {
      this._verifyLogin(req, login, actions);
    }
  }

  /** The options of a call, its own names checked. A subclass with hooks of its own may know further ones. */
  private _callOptions(options: AuthenticateOptions): AuthenticateOptions {
    const own: Record<string, unknown> = SalesforceStrategy.prototype as never;
    const isExtended = ['authorizationParams', 'tokenParams'].some(
      (name) => (this as unknown as Record<string, unknown>)[name] !== own[name],
    );
    if (!isExtended) checkCallOptions(options);
    const { prompt, display, loginHint, login_hint, scope, baseUrl, callbackURL, silent, state } = options;
    const extra = options.authorizationParams;
    return {
      prompt,
      display,
      loginHint,
      login_hint,
      scope,
      baseUrl,
      callbackURL,
      silent,
      state,
      authorizationParams: extra,
    };
  }

  /** The profile as passport-oauth2 loads it: `skipUserProfile` decides, and a subclass may have its own `userProfile`. */
  private async _profileOf(login: ProvenLogin): Promise<SalesforceProfile | undefined> {
    const { accessToken } = login.tokens;
    const { skipUserProfile: skip } = this._parts;
    if (typeof skip !== 'function') return skip ? undefined : this._loadProfile(login);
    const isSkipped =
      skip.length > 1
        ? await answerOf<boolean>((done) => skip(accessToken, done))
        : await (skip as () => boolean | Promise<boolean>)();
    return isSkipped ? undefined : this._loadProfile(login);
  }

  private _loadProfile(login: ProvenLogin): Promise<SalesforceProfile | undefined> {
    const attempt = Object.create(this, { _proven: { value: login } }) as SalesforceStrategy;
    return answerOf((done) => (attempt as LoadsProfile).userProfile(login.tokens.accessToken, done));
  }

  /** Asks the application's verify function. Its answer counts once, however it is given. */
  private _verifyLogin(req: Request, login: FinishedLogin, actions: Actions): void {
    const { reply, profile, transaction, settle } = login;
    let isAnswered = false;
    const answer = (act: () => unknown): void => {
      if (isAnswered) {
        warn(
          'VERIFY_ANSWERED_TWICE',
          'The verify function of SalesforceStrategy answered twice, or threw after it had answered; the first answer counts.',
        );
        return;
      }
      isAnswered = true;
      settle({ result: undefined }).catch(() => undefined);
      settleRequest(req, act);
    };
    const fail = (error: unknown): void => {
      answer(() => actions.error(errorFrom(error)));
    };
    const done: VerifyDone = (error, user, info) => {
      answer(() => {
        const { appState } = transaction;
        if (error) return actions.error(error);
        if (!user) return actions.fail(info);
        // A custom callback always gets an object, as from passport-oauth2.
        const told = info ?? {};
        const hasState = appState !== undefined && typeof told === 'object';
        return actions.success(user, hasState ? Object.assign(told, { state: appState }) : told);
      });
    };
    const verify = this._verifyUser as (...given: unknown[]) => unknown;
    const { passReqToCallback } = this._parts;
    const hasParams = verify.length === (passReqToCallback ? 6 : 5);
    const given = [reply.access_token, reply.refresh_token, ...(hasParams ? [reply] : []), profile, done];
    try {
      const result = passReqToCallback ? verify(req, ...given) : verify(...given);
      // An async function that rejects would otherwise end the process.
      Promise.resolve(result).catch(fail);
    } catch (error) {
      fail(error);
    }
  }
}

/** `userProfile` of a subclass, which may be async. */
interface LoadsProfile {
  userProfile(accessToken: string, done: (error?: unknown, profile?: SalesforceProfile) => void): unknown;
}
