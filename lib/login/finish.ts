import type { Request } from 'express';
import { classify, operatorMessage } from '../salesforce-errors/classify';
import { meanings } from '../salesforce-errors/meanings';
import { safeText } from '../salesforce-errors/safe-text';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { clientChanged } from '../options/source';
import { parameterOf } from '../query';
import { isTrustedHost } from '../salesforce/hosts';
import { TokenClient } from '../token/client';
import type { TokenEndpointReply, TokenSet } from '../token/types';
import type { LoginContext } from './begin';
import type { LoginOutcome } from './claims';
import { loadProfile, type SalesforceProfile } from './profile';
import { proveReply, unprovenTokens, type ProvenReply } from './prove';
import type { Transaction } from './transactions';

/** A login that came back proven, with what it began with. */
export interface ProvenLogin extends ProvenReply {
  reply: TokenEndpointReply;
  transaction: Transaction;
  configuration: Configuration;
}

/** A login whose user is known. */
export interface FinishedLogin extends ProvenLogin {
  kind: 'finished';
  /** Undefined if the caller asked for none. */
  profile: SalesforceProfile | undefined;
  /** Leaves the outcome of the login for later requests of the same callback, which wait for the outcome. */
  settle: (outcome: LoginOutcome) => Promise<void>;
}

/** A callback that was opened before, and what came of it then. */
export interface RepeatedLogin {
  kind: 'repeated';
  transaction: Transaction;
  outcome: LoginOutcome;
}

/** How a caller wants a login to end. */
export interface FinishOptions {
  /** Further parameters of the token request. */
  tokenParams?: Readonly<Record<string, string>> | undefined;
  /** Loads the profile in place of {@link loadProfile}; undefined is none. */
  loadProfile?: ((login: ProvenLogin) => Promise<SalesforceProfile | undefined>) | undefined;
}

/**
 * Ends a login at its callback: presents the code, once in all processes, and proves whose the tokens are.
 *
 * @throws SalesforceAuthError. Once the transaction is known, the error carries the page the user wanted
 *   ({@link SalesforceAuthError.login}).
 */
export async function finish(
  req: Request,
  options: FinishOptions,
  context: LoginContext,
): Promise<FinishedLogin | RepeatedLogin> {
  const { state, transaction, isExpired } = await context.transactions.open(req, context.addresses.isSecure(req));
  try {
    if (isExpired) throw expired();
    if (parameterOf(req, 'error') !== undefined) throw authorizationError(req);
    const code = parameterOf(req, 'code');
    if (code === undefined || code === '') throw codeMissing();
    const configuration = await configurationOf(req, transaction, context);
    const claim = await context.claims.take(state);
    if (!('settle' in claim)) return { kind: 'repeated', transaction, outcome: claim };
    const { settle } = claim;
    try {
      const login = await redeem(code, { configuration, transaction, options }, context);
      return { kind: 'finished', ...login, settle };
    } catch (error) {
      const errorCode = isSalesforceAuthError(error) ? error.code : 'ERR_SALESFORCE_LOGIN_FAILED';
      await settle({ errorCode }).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    if (error instanceof SalesforceAuthError) error.login = originOf(transaction);
    throw error;
  }
}

/** Presents the code, proves the reply, and loads the profile. If a step fails, its tokens are not used. */
async function redeem(
  code: string,
  { configuration, transaction, options }: Redemption,
  { clock, onAbandoned }: LoginContext,
): Promise<ProvenLogin & { profile: SalesforceProfile | undefined }> {
  const { baseUrl, callbackURL, codeVerifier } = transaction;
  const client = new TokenClient(configuration, baseUrl, clock);
  const reply = await client.authorizationCodeGrant({
    code,
    redirectURI: callbackURL,
    codeVerifier,
    params: options.tokenParams,
  });
  let obtained: TokenSet = unprovenTokens(reply, transaction);
  try {
    const proven = await proveReply(reply, { configuration, transaction }, clock);
    obtained = proven.tokens;
    const login: ProvenLogin = { ...proven, reply, transaction, configuration };
    const profile = options.loadProfile
      ? await options.loadProfile(login)
      : await loadProfile(login, configuration, clock);
    return { ...login, profile };
  } catch (error) {
    onAbandoned?.(obtained);
    throw error;
  }
}

interface Redemption {
  configuration: Configuration;
  transaction: Transaction;
  options: FinishOptions;
}

async function configurationOf(
  req: Request,
  { clientID, tenant, baseUrl, isMoved }: Transaction,
  { source, tenant: tenantOf }: LoginContext,
): Promise<Configuration> {
  // A login of one tenant must not end at the host of another, unless it began at a host that shares this callback.
  if (isMoved !== true && tenantOf?.(req) !== tenant) throw clientChanged();
  const configuration = await source.resolveClient(clientID, { req, tenant });
  // The tenant may have another host by now than the one the login began at.
  if (!isTrustedHost(new URL(baseUrl), configuration.trustedHosts)) throw clientChanged();
  return configuration;
}

/** What an error carries of its login. Nothing of it is secret. */
export function originOf({ appState, baseUrl, tenant }: Transaction): NonNullable<SalesforceAuthError['login']> {
  return { appState, baseUrl, tenant };
}

/** The error a callback reports, with Salesforce's words made safe (RFC 6749, section 4.1.2.1). */
function authorizationError(req: Request): SalesforceAuthError {
  const error = safeText(parameterOf(req, 'error')) ?? 'unknown_error';
  const errorDescription = safeText(parameterOf(req, 'error_description'));
  const found = classify('callback', { error, errorDescription });
  const meaning = found === 'ignored' ? meanings.authorization : found;
  return new SalesforceAuthError(meaning.code, operatorMessage({ error, errorDescription }, meaning), {
    status: meaning.status,
    error,
    errorDescription,
    ...(meaning.status === 503 ? { retryAfterSeconds: 5 } : {}),
  });
}

function codeMissing(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CODE_REJECTED',
    'The callback carries neither a code nor an error. Start the login again.',
    { status: 400 },
  );
}

function expired(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_EXPIRED',
    'The login took longer than 15 minutes. Start the login again from the application.',
    { status: 403 },
  );
}
