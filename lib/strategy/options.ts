import { scryptSync } from 'node:crypto';
import type { Request } from 'express';
import { systemClock, type Clock } from '../clock';
import { KeyRing, parseEncryptionKeys } from '../crypto/key-ring';
import { SalesforceAuthError } from '../errors';
import { checkFunction, checkNames, invalid, optionalText } from '../options/check';
import {
  clientOptionNames,
  parseClientOptions,
  type ClientOptions,
  type Display,
  type Prompt,
} from '../options/configuration';
import { ConfigurationSource, type ConfigurationFunction } from '../options/source';
import type { TokenSet } from '../token/types';

/** Options of {@link SalesforceStrategy} beside those of the client. */
export interface StrategyOnlyOptions {
  /** Passport's: hand the request to the verify function as its first argument. Default false. */
  passReqToCallback?: boolean | undefined;
  /** Passport's: load no profile. Default false. */
  skipUserProfile?: boolean | undefined;
  /** The name Passport knows the strategy by. Default `salesforce`. */
  name?: string | undefined;
  /**
   * Secrets that encrypt pending logins, newest first; the same on every server. Default: derived from `clientSecret`, or
   * random for this process where there is none.
   */
  encryptionKeys?: readonly (string | Uint8Array)[] | undefined;
  /** Accepted for compatibility: `state` is always checked. */
  state?: true | undefined;
  /** Accepted for compatibility: PKCE with S256 is always used. */
  pkce?: true | 'S256' | undefined;
  /** Source of time, for tests. */
  clock?: Clock | undefined;
}

/** Options of {@link SalesforceStrategy}. */
export interface StrategyOptions extends ClientOptions, StrategyOnlyOptions {}

/** What a single call of `passport.authenticate('salesforce', …)` can set. */
export interface AuthenticateOptions {
  prompt?: Prompt | undefined;
  display?: Display | undefined;
  loginHint?: string | undefined;
  scope?: string | readonly string[] | undefined;
  /** Must be on a trusted host, since it receives the client secret. */
  baseUrl?: string | undefined;
  callbackURL?: string | undefined;
  authorizationParams?: Readonly<Record<string, string>> | undefined;
  /** Comes back as `info.state`; the `state` on the wire is always random. */
  state?: unknown;
}

const ownNames = [
  'passReqToCallback',
  'skipUserProfile',
  'name',
  'encryptionKeys',
  'state',
  'pkce',
  'clock',
] as const satisfies readonly (keyof StrategyOnlyOptions)[];

/** {@link StrategyOptions}, checked. */
export interface ParsedStrategyOptions {
  source: ConfigurationSource;
  name: string;
  transactionKeys: KeyRing;
  clock: Clock;
  passReqToCallback: boolean;
  skipUserProfile: boolean;
  /** Told of tokens that were obtained by a login that failed afterwards, and that nobody will use. */
  onAbandoned?: (tokens: TokenSet) => void;
}

/** Checks strategy options. @throws SalesforceOptionError */
export function parseStrategyOptions(
  options: StrategyOptions | ((req: Request) => ClientOptions | Promise<ClientOptions>),
  own: StrategyOnlyOptions = {},
): ParsedStrategyOptions {
  const isFunction = typeof options === 'function';
  if (!isFunction && (typeof options !== 'object' || (options as object | null) === null)) {
    throw invalid('options', 'an object with clientID, or a function that returns one');
  }
  if (isFunction) checkNames(own, ownNames, 'SalesforceStrategy');
  else checkNames(options, [...clientOptionNames, ...ownNames], 'SalesforceStrategy');
  const given: StrategyOnlyOptions = isFunction ? own : options;
  const state: unknown = given.state;
  const pkce: unknown = given.pkce;
  if (state !== undefined && state !== true)
    throw invalid('state', 'true or left out: it protects the login against CSRF');
  if (pkce !== undefined && pkce !== true && pkce !== 'S256') {
    throw invalid('pkce', "true, 'S256' or left out: Salesforce knows no other method");
  }
  const source = isFunction
    ? new ConfigurationSource(fromRequest(options))
    : new ConfigurationSource(parseClientOptions(options));
  const secrets = parseEncryptionKeys(given.encryptionKeys);
  return {
    source,
    name: optionalText('name', given.name) ?? 'salesforce',
    transactionKeys: transactionKeys(secrets, source),
    clock: given.clock ?? systemClock,
    passReqToCallback: given.passReqToCallback === true,
    skipUserProfile: given.skipUserProfile === true,
  };
}

/** Keys for pending logins: configured, else derived from the one secret all servers share, else of this process alone. */
export function transactionKeys(
  secrets: readonly (string | Uint8Array)[] | undefined,
  source: ConfigurationSource,
): KeyRing {
  const { clientSecret } = source.fixed ?? {};
  const shared = secrets ?? (clientSecret === undefined ? undefined : [stretched(clientSecret)]);
  return shared === undefined ? KeyRing.ephemeral('transaction') : new KeyRing(shared, 'transaction');
}

/**
 * Anybody who begins a login gets a text sealed with a key of the client secret, and may try secrets against it at home.
 * That is hopeless with the long ones of today, and made so for the short ones older apps have.
 */
function stretched(clientSecret: string): string | Uint8Array {
  return clientSecret.length >= 32 ? clientSecret : scryptSync(clientSecret, 'express-salesforce-auth', 32);
}

/**
 * A function of the request as a function of the context. Without a request it is not asked: grants of clients it gave
 * before go on with those.
 */
export function fromRequest(options: (req: Request) => ClientOptions | Promise<ClientOptions>): ConfigurationFunction {
  checkFunction('options', options);
  return ({ req }) => {
    if (req) return options(req);
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_CONFIGURATION',
      'The options are a function of the request, and there is none here. Use the option configuration, which is given the tenant instead.',
      { status: 503 },
    );
  };
}
