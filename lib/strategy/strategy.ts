import type { Request } from 'express';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import type { Clock } from '../clock';
import { debugLogin } from '../debug';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import type { ClientOptions, Configuration } from '../options/configuration';
import { clientChanged, type ConfigurationSource } from '../options/source';
import { defaultBaseUrl } from '../salesforce/base-url';
import { endpointsOf } from '../salesforce/endpoints';
import { isTrustedHost } from '../salesforce/hosts';
import { TokenClient } from '../token/client';
import type { TokenEndpointReply } from '../token/types';
import {
  authorizationError,
  endedTransactions,
  loginRequest,
  proveReply,
  provenLogins,
  unprovenTokens,
  type LoginRequest,
  type ProvenLogin,
} from './attempt';
import { OAuth2Bridge } from './oauth2-bridge';
import {
  parseStrategyOptions,
  type AuthenticateOptions,
  type ParsedStrategyOptions,
  type StrategyOnlyOptions,
  type StrategyOptions,
} from './options';
import { loadProfile, type SalesforceProfile } from './profile';
import { Transactions, type Transaction } from './transactions';

/** Ends a verification: with an error, with a user, or with false for a user who may not log in. */
export type VerifyDone = (error: unknown, user?: Express.User | false, info?: object) => void;

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
 * Passport strategy for Salesforce, usable alone in any Passport application on Express.
 *
 * `state` and PKCE (S256) are always on, and a login lives in a cookie of its own, so that two tabs can log in at once.
 *
 * No `#private` members here: Passport runs each request on an object that inherits from the strategy and would not have
 * them.
 */
export class SalesforceStrategy extends OAuth2Strategy {
  override name: string;
  /** @internal */
  protected readonly _source: ConfigurationSource;
  /** @internal */
  protected readonly _transactions: Transactions;
  /** @internal */
  protected readonly _clock: Clock;
  /** @internal */
  protected readonly _onAbandoned: ParsedStrategyOptions['onAbandoned'];
  /** @internal The login of this attempt, on its way out. */
  protected _login?: LoginRequest;
  /** @internal The login of this attempt, come back. */
  protected _proven?: ProvenLogin;

  /**
   * @param options the client, or a function of the request that gives it
   * @param verify decides who the user is
   * @param own further options, where `options` is a function
   * @throws SalesforceOptionError
   */
  constructor(
    options:
      | (StrategyOptions & { passReqToCallback?: false | undefined })
      | ((req: Request) => ClientOptions | Promise<ClientOptions>),
    verify: SalesforceVerifyFunction,
    own?: StrategyOnlyOptions,
  );
  constructor(options: StrategyOptions & { passReqToCallback: true }, verify: SalesforceVerifyFunctionWithRequest);
  /** @internal */
  constructor(options: ParsedStrategyOptions, verify: SalesforceVerifyFunction);
  constructor(
    options: StrategyOptions | ParsedStrategyOptions | ((req: Request) => ClientOptions | Promise<ClientOptions>),
    verify: SalesforceVerifyFunction | SalesforceVerifyFunctionWithRequest,
    own?: StrategyOnlyOptions,
  ) {
    const parsed = 'source' in options ? options : parseStrategyOptions(options, own);
    const { fixed } = parsed.source;
    const endpoints = endpointsOf(fixed?.baseUrl ?? defaultBaseUrl);
    super(
      {
        authorizationURL: endpoints.authorization_endpoint,
        tokenURL: endpoints.token_endpoint,
        clientID: fixed?.clientID ?? 'per request',
        clientSecret: '',
        callbackURL: fixed?.callbackURL ?? '',
        state: true,
        pkce: true,
        passReqToCallback: parsed.passReqToCallback,
        skipUserProfile: parsed.skipUserProfile,
      } as never,
      verify as never,
    );
    this.name = parsed.name;
    this._source = parsed.source;
    this._clock = parsed.clock;
    this._onAbandoned = parsed.onAbandoned;
    this._transactions = new Transactions(parsed.transactionKeys, parsed.clock);
    // node-oauth, which super() made, knows no time limit; nothing of it stays.
    if (fixed)
      this._setOAuth2(
        new OAuth2Bridge(fixed, fixed.baseUrl, () => new TokenClient(fixed, fixed.baseUrl, parsed.clock)),
      );
  }

  /** Begins a login, or ends one where the request is Salesforce's callback. */
  override authenticate(req: Request, options: AuthenticateOptions = {}): void {
    // An object of its own for each attempt, even where the strategy itself is handed to Passport and shared by requests.
    const attempt = Object.create(this) as this;
    Object.assign(attempt, {
      success: this.success.bind(this),
      fail: this.fail.bind(this),
      redirect: this.redirect.bind(this),
      error: this.error.bind(this),
    });
    const isCallback = ['code', 'error', 'state'].some((name) => req.query[name] !== undefined);
    const run = isCallback ? attempt._endLogin(req, options) : attempt._beginLogin(req, options);
    run.catch((error: unknown) => {
      debugLogin(
        '%s failed: %s',
        isCallback ? 'callback' : 'login',
        isSalesforceAuthError(error) ? error.code : 'unknown',
      );
      if (isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_ACCESS_DENIED') attempt.fail(error, 403);
      else attempt.error(error);
    });
  }

  /** Loads the user's profile for Passport. */
  override userProfile(_accessToken: string, done: (error?: unknown, profile?: SalesforceProfile) => void): void {
    const proven = this._proven;
    if (!proven) {
      done(new SalesforceAuthError('ERR_SALESFORCE_PROFILE', 'A profile is loaded as part of a login only.'));
      return;
    }
    // passport-oauth2 catches nothing in here, so no exception may get past this border.
    loadProfile(proven, proven.configuration, this._clock).then(
      (profile) => done(null, profile),
      (error: unknown) => {
        this._onAbandoned?.(proven.tokens);
        done(error);
      },
    );
  }

  /** Parameters of the authorization request beside those of passport-oauth2. A subclass may add to them. */
  override authorizationParams(_options: AuthenticateOptions): object {
    return this._login?.params ?? {};
  }

  /** @internal */
  protected async _beginLogin(req: Request, options: AuthenticateOptions): Promise<void> {
    const configuration = await this._source.resolve({ req });
    const login = loginRequest(req, configuration, options);
    this._login = login;
    this._setOAuth2(this._bridge(configuration, login.baseUrl));
    this._setStateStore(
      (_req, codeVerifier, appState, _meta, done) => {
        const transaction: Transaction = {
          clientID: configuration.clientID,
          baseUrl: login.baseUrl,
          callbackURL: login.callbackURL,
          codeVerifier,
          ...(configuration.tenant === undefined ? {} : { tenant: configuration.tenant }),
          ...(login.nonce === undefined ? {} : { nonce: login.nonce }),
          ...(appState === undefined ? {} : { appState: (appState as { value: unknown }).value }),
        };
        this._transactions.begin(req, transaction).then(
          (state) => done(null, state),
          (error: unknown) => done(error),
        );
      },
      (_req, _state, _meta, done) => done(null, false, undefined),
    );
    super.authenticate(req, {
      callbackURL: login.callbackURL,
      scope: login.scope.length > 0 ? [...login.scope] : undefined,
      // passport-oauth2 sends a text as it stands and drops PKCE with it; an object it hands to the store.
      state: options.state === undefined ? undefined : { value: options.state },
    });
  }

  /** @internal */
  protected async _endLogin(req: Request, options: AuthenticateOptions): Promise<void> {
    const isError = req.query['error'] !== undefined;
    const transaction = await this._transactions.consume(req, req.query['state'], isError);
    endedTransactions.set(req, transaction);
    if (isError) throw authorizationError(req.query);
    if (typeof req.query['code'] !== 'string' || req.query['code'] === '') {
      throw new SalesforceAuthError(
        'ERR_SALESFORCE_CODE_MISSING',
        'The callback carries neither a code nor an error. Start the login again.',
        { status: 400 },
      );
    }
    const { clientID, tenant, baseUrl } = transaction;
    const configuration = await this._source.resolveClient(clientID, { req, tenant });
    // The client id is no secret, so a tenant may have begun a login with another's and a host of its own.
    if (configuration.tenant !== tenant || !isTrustedHost(new URL(baseUrl), configuration.trustedHosts)) {
      throw clientChanged();
    }
    this._setOAuth2(
      this._bridge(configuration, baseUrl, async (reply) => {
        try {
          const proven = await proveReply(reply, configuration, transaction, this._clock);
          this._proven = { ...proven, transaction, configuration };
          provenLogins.set(reply, this._proven);
        } catch (error) {
          this._onAbandoned?.(unprovenTokens(reply, transaction));
          throw error;
        }
      }),
    );
    this._setStateStore(
      (_req, _verifier, _state, _meta, done) => done(null, undefined),
      (_req, _state, _meta, done) => done(null, transaction.codeVerifier, transaction.appState),
    );
    super.authenticate(req, { ...options, callbackURL: transaction.callbackURL });
  }

  /** @internal Replaces passport-oauth2's client on this attempt; an exchange that fails keeps its own error. */
  private _bridge(
    configuration: Configuration,
    baseUrl: string,
    judge?: (reply: TokenEndpointReply) => Promise<void>,
  ): OAuth2Bridge {
    return new OAuth2Bridge(configuration, baseUrl, () => new TokenClient(configuration, baseUrl, this._clock), judge);
  }

  /** @internal passport-oauth2 would wrap the error of an exchange in one of its own, with status 500. */
  protected _createOAuthError(_message: string, error: unknown): unknown {
    return error;
  }

  /** @internal */
  private _setOAuth2(bridge: OAuth2Bridge): void {
    Object.defineProperty(this, '_oauth2', { value: bridge, configurable: true });
  }

  /** @internal passport-oauth2 tells stores apart by the number of parameters they declare: five and four. */
  private _setStateStore(store: StateStore['store'], verify: StateStore['verify']): void {
    Object.defineProperty(this, '_stateStore', { value: { store, verify }, configurable: true });
  }
}

interface StateStore {
  store(
    req: Request,
    codeVerifier: string,
    appState: unknown,
    meta: unknown,
    done: (error: unknown, state?: string) => void,
  ): void;
  verify(
    req: Request,
    state: string,
    meta: unknown,
    done: (error: unknown, ok?: string | false, state?: unknown) => void,
  ): void;
}
