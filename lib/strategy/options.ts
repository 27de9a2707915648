import type { Request } from 'express';
import { Addresses, parsePublicUrl, type PublicUrl } from '../address';
import { systemClock, type Clock } from '../clock';
import { parseEncryptionKeys, type KeyRing } from '../crypto/key-ring';
import { ProcessClaims, type ClaimRecords } from '../login/claims';
import type { FinishedLogin, RepeatedLogin } from '../login/finish';
import { loginKeys } from '../login/keys';
import type { LoginRequestOptions } from '../login/request';
import { invalid } from '../options/check';
import { parseClientOptions, type ClientOptions } from '../options/configuration';
import { checkNames } from '../options/names';
import { clientOptions } from '../options/parts/client';
import { tenantOptions } from '../options/parts/middleware';
import { authenticateOptions, passportOptions, strategyOptions } from '../options/parts/strategy';
import { parseValues } from '../options/spec';
import { checkedTenant, ConfigurationSource, type ConfigurationFunction, type TenantFunction } from '../options/source';
import type { TokenSet } from '../token/types';

/** Passport's option: load no profile; or a function that decides it, with a callback if it takes two parameters. */
type SkipUserProfile =
  | boolean
  | (() => boolean | Promise<boolean>)
  | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

/** Options of {@link SalesforceStrategy} beside those of the client. */
export interface StrategyOnlyOptions {
  /** Passport's: hand the request to the verify function as its first argument. Default false. */
  passReqToCallback?: boolean | undefined;
  /** Passport's: load no profile. Default false. */
  skipUserProfile?: SkipUserProfile | undefined;
  /** The name Passport knows the strategy by. Default `salesforce`. */
  name?: string | undefined;
  /** The application's address as browsers see it, if requests do not show that address. Default: from the request. */
  publicUrl?: PublicUrl | undefined;
  /**
   * Secrets that encrypt pending logins, newest first; the same on every server. Default: derived from `clientSecret`, or
   * random for this process if there is none.
   */
  encryptionKeys?: readonly (string | Uint8Array)[] | undefined;
  /** Accepted for compatibility: `state` is always checked. */
  state?: true | undefined;
  /** Accepted for compatibility: PKCE with S256 is always used. */
  pkce?: true | 'S256' | undefined;
  /** Source of time, for tests. */
  clock?: Clock | undefined;
}

/** Options of {@link SalesforceStrategy}: one client, or a function that gives the client of a tenant. */
export type StrategyOptions = StrategyOnlyOptions &
  (
    | (ClientOptions & { configuration?: undefined; tenant?: undefined })
    | { configuration: ConfigurationFunction; tenant?: TenantFunction | undefined }
  );

/** What a single call of `passport.authenticate('salesforce', …)` can set beside Passport's own options. */
export interface AuthenticateOptions extends LoginRequestOptions {
  /** Another name for `loginHint`, as other strategies spell it. */
  login_hint?: string | undefined;
  /** Comes back as `info.state`; the `state` on the wire is always random. */
  state?: unknown;
}

/** Refuses a misspelt option of a single call. @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` */
export function checkCallOptions(options: object): void {
  checkNames(options, { ...authenticateOptions, ...passportOptions }, "passport.authenticate('salesforce')");
}

/** The parts of a strategy: made from its options, or shared by the middleware that mounts it. */
export interface StrategyParts {
  source: ConfigurationSource;
  addresses: Addresses;
  keys: KeyRing;
  claims: ClaimRecords;
  clock: Clock;
  name: string;
  passReqToCallback: boolean;
  skipUserProfile: SkipUserProfile;
  tenant?: TenantFunction | undefined;
  /** The callback URL of a configuration that names none: a path below the application's root. */
  defaultCallback?: ((req: Request) => string | undefined) | undefined;
  /** How long a repeated callback waits for the outcome of the first, in milliseconds. */
  waitMs?: number | undefined;
  /** Told of tokens that a login obtained before it failed. */
  onAbandoned?: ((tokens: TokenSet) => void) | undefined;
  /** Tells the operator what is likely to be a mistake in the set-up. Default: on the standard error stream. */
  warn?: ((code: string, message: string) => void) | undefined;
  /** Takes logins in place of a verify function, for the middleware. */
  receive?: ((login: FinishedLogin | RepeatedLogin) => unknown) | undefined;
}

/** The parts that the middleware hands over, or those of checked options. @throws SalesforceOptionError */
export function strategyParts(given: StrategyOptions | StrategyParts): StrategyParts {
  const { source } = ((given as unknown) ?? {}) as Partial<StrategyParts>;
  return source instanceof ConfigurationSource
    ? (given as StrategyParts)
    : parseStrategyOptions(given as StrategyOptions);
}

/** Checks strategy options. @throws SalesforceOptionError */
function parseStrategyOptions(options: StrategyOptions): StrategyParts {
  if (typeof options !== 'object' || (options as object | null) === null) {
    throw invalid('options', 'an object with clientID, or with configuration: a function that gives it');
  }
  const { configuration, tenant } = options;
  const others = configuration === undefined ? clientOptions : tenantOptions;
  // An option that is undefined is left out.
  const leftOut = Object.fromEntries(
    Object.entries(tenantOptions).filter(([name]) => options[name as keyof typeof tenantOptions] === undefined),
  );
  checkNames(options, { ...others, ...leftOut, ...strategyOptions }, 'SalesforceStrategy');
  parseValues(tenantOptions, options);
  const { name, passReqToCallback } = parseValues(strategyOptions, options);
  const publicUrls = [options.publicUrl].flat();
  const clock = options.clock ?? systemClock;
  const source = new ConfigurationSource(configuration ?? parseClientOptions(options, { publicUrls }), {
    publicUrls,
    clock,
  });
  return {
    source,
    addresses: new Addresses(parsePublicUrl(options.publicUrl)),
    keys: loginKeys(parseEncryptionKeys(options.encryptionKeys), source),
    claims: new ProcessClaims(clock),
    clock,
    name,
    passReqToCallback,
    skipUserProfile: options.skipUserProfile ?? false,
    tenant: checkedTenant(tenant),
  };
}

/** Checks a verify function: Passport's strategies count its parameters. @throws SalesforceOptionError */
export function checkVerify(verify: unknown, passReqToCallback: boolean): void {
  const least = passReqToCallback ? 5 : 4;
  if (typeof verify === 'function' && (verify.length === least || verify.length === least + 1)) return;
  const first = passReqToCallback ? 'req, ' : '';
  throw invalid(
    'verify',
    `a function with the parameters (${first}accessToken, refreshToken, profile, done) or ` +
      `(${first}accessToken, refreshToken, params, profile, done), declared one by one`,
  );
}
