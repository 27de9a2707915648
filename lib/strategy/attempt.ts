import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { Clock } from '../clock';
import { outcomeOf, tell } from '../catalogue/look-up';
import { outcomes } from '../catalogue/outcomes';
import { safeText } from '../catalogue/safe-text';
import { SalesforceAuthError } from '../errors';
import {
  parseClientOptions,
  parseDisplay,
  parsePrompt,
  parseScope,
  type Configuration,
} from '../options/configuration';
import { invalid, optionalText } from '../options/check';
import { parseRequestedBaseUrl } from '../salesforce/base-url';
import { validateIdToken } from '../token/id-token';
import { toTokenSet } from '../token/token-set';
import type { TokenEndpointReply, TokenSet } from '../token/types';
import type { AuthenticateOptions } from './options';
import type { Transaction } from './transactions';

/** One login on its way out: what goes into the authorization request, and what must be known when it comes back. */
export interface LoginRequest {
  configuration: Configuration;
  baseUrl: string;
  callbackURL: string;
  nonce: string | undefined;
  params: Record<string, string>;
  scope: readonly string[];
}

/**
 * Puts together an authorization request from the configuration and the options of the call; the call wins.
 *
 * @throws SalesforceOptionError for a wrong `prompt`, `display` or `baseUrl` of the call
 */
export function loginRequest(req: Request, configuration: Configuration, options: AuthenticateOptions): LoginRequest {
  const scope = options.scope === undefined ? configuration.scope : parseScope(options.scope);
  const display = parseDisplay(options.display) ?? configuration.display;
  const loginHint = optionalText('loginHint', options.loginHint) ?? configuration.loginHint;
  const nonce = scope.includes('openid') ? randomBytes(24).toString('base64url') : undefined;
  const extra =
    options.authorizationParams === undefined
      ? {}
      : parseClientOptions({ clientID: configuration.clientID, authorizationParams: options.authorizationParams })
          .authorizationParams;
  return {
    configuration,
    baseUrl:
      options.baseUrl === undefined
        ? configuration.baseUrl
        : parseRequestedBaseUrl(options.baseUrl, configuration.trustedHosts),
    callbackURL: absoluteCallbackURL(req, options.callbackURL ?? configuration.callbackURL),
    nonce,
    scope,
    params: {
      ...configuration.authorizationParams,
      ...extra,
      prompt: parsePrompt(options.prompt) ?? configuration.prompt,
      ...(display === undefined ? {} : { display }),
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
      ...(nonce === undefined ? {} : { nonce }),
    },
  };
}

/** What a token reply proved. */
export interface ProvenReply {
  tokens: TokenSet;
  /** Of the ID token, where there is one. */
  claims: Record<string, unknown> | undefined;
}

/** A login that came back proven, with what it began with. */
export interface ProvenLogin extends ProvenReply {
  transaction: Transaction;
  configuration: Configuration;
}

/** Tokens of a reply nothing of which is proven, as far as is needed to revoke them. */
export function unprovenTokens(reply: TokenEndpointReply, { clientID, tenant, baseUrl }: Transaction): TokenSet {
  return {
    accessToken: reply.access_token,
    ...(reply.refresh_token === undefined ? {} : { refreshToken: reply.refresh_token }),
    ...(tenant === undefined ? {} : { tenant }),
    clientID,
    baseUrl,
    scope: [],
    instanceUrl: baseUrl,
    organizationId: '',
    userId: '',
  };
}

/** The login a callback belongs to, however it ended, for whoever has to answer the request then. */
export const endedTransactions: WeakMap<Request, Transaction> = new WeakMap();

/** The proven login behind a reply handed to a verify function, which Passport gives the reply but not the proof. */
export const provenLogins: WeakMap<TokenEndpointReply, ProvenLogin> = new WeakMap();

/** The callback URL as it is sent; a path is resolved against the request. @throws SalesforceOptionError */
export function absoluteCallbackURL(req: Request, callbackURL: string | undefined): string {
  if (callbackURL === undefined) throw invalid('callbackURL', 'set', 'ERR_SALESFORCE_CALLBACK_URL_INVALID');
  if (!callbackURL.startsWith('/')) return callbackURL;
  // `protocol` and `host` follow Express's trust proxy setting.
  return `${req.protocol}://${req.get('host') ?? 'localhost'}${callbackURL}`;
}

/**
 * Proves a token reply of a login: hosts and signature, then the ID token, then that something vouches for the identity.
 *
 * @throws SalesforceAuthError, each cause with a code of its own
 */
export async function proveReply(
  reply: TokenEndpointReply,
  configuration: Configuration,
  transaction: Transaction,
  clock: Clock,
): Promise<ProvenReply> {
  const tokens = toTokenSet(reply, configuration, transaction.baseUrl);
  if (reply.id_token !== undefined) {
    return { tokens, claims: await validateIdToken(reply.id_token, tokens, transaction.nonce, configuration, clock) };
  }
  if (transaction.nonce !== undefined && tokens.scope.includes('openid')) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_ID_TOKEN_INVALID',
      'Salesforce granted the scope openid but sent no ID token. Start the login again.',
      { status: 502 },
    );
  }
  if (configuration.clientSecret === undefined && configuration.profileSource === 'id') {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_IDENTITY_UNPROVEN',
      "A public client cannot verify the signed id URL: ask for the scope 'openid', or set profileSource to 'identity' or 'userinfo'.",
      { status: 500 },
    );
  }
  return { tokens, claims: undefined };
}

/** The error a callback reports, with Salesforce's words made safe (RFC 6749, section 4.1.2.1). */
export function authorizationError(query: Request['query']): SalesforceAuthError {
  const error = safeText(query['error']) ?? 'unknown_error';
  const errorDescription = safeText(query['error_description']);
  const found = outcomeOf('callback', { error, errorDescription });
  const outcome = found === 'ignored' ? outcomes.authorization : found;
  return new SalesforceAuthError(outcome.code, tell({ error, errorDescription }, outcome), {
    status: outcome.status,
    error,
    errorDescription,
    ...(outcome.status === 503 ? { retryAfterSeconds: 5 } : {}),
  });
}
