import type { Request } from 'express';
import type { Addresses } from '../address';
import type { Clock } from '../clock';
import { loaded } from '../loaded';
import type { ConfigurationSource } from '../options/source';
import { endpointsOf } from '../salesforce/endpoints';
import type { TokenSet } from '../token/types';
import type { LoginClaims } from './claims';
import type { SetCookie } from './cookies';
import { movedText, type LoginMoves, type MovedLogin } from './move';
import { absoluteCallbackURL, loginRequest, type LoginRequest, type LoginRequestOptions } from './request';
import type { Transactions } from './transactions';

/** What both ends of a login need. */
export interface LoginContext {
  source: ConfigurationSource;
  addresses: Addresses;
  transactions: Transactions;
  moves: LoginMoves;
  claims: LoginClaims;
  clock: Clock;
  /** The callback URL of a configuration that names none: a path below the application's root. */
  defaultCallback: ((req: Request) => string | undefined) | undefined;
  /** Says whose request it is, if the application has tenants. Must not wait. */
  tenant: ((req: Request) => string | undefined) | undefined;
  /** Gets tokens that a login obtained before it failed, and that are not used. */
  onAbandoned: ((tokens: TokenSet) => void) | undefined;
  /** Tells the operator what is likely to be a mistake in the set-up. */
  warn: (code: string, message: string) => void;
}

/** The options of a login with what comes back from it. */
export interface BeginOptions extends LoginRequestOptions {
  /** Comes back with the login; the `state` on the wire is always random. */
  appState?: unknown;
  /** Further parameters of the authorization request, which a subclass of the strategy adds. */
  params?: ((login: LoginRequest) => object) | undefined;
}

/** Where the browser goes, and what it keeps until it comes back. */
export interface Beginning {
  redirectTo: string;
  cookies: SetCookie[];
}

/**
 * Begins a login: says where to send the browser, and which cookies keep the login until the callback.
 *
 * @throws SalesforceOptionError for a wrong option of the call; SalesforceAuthError if the configuration is not available
 */
export async function begin(req: Request, given: BeginOptions, context: LoginContext): Promise<Beginning> {
  const { params, ...options } = given;
  const moved = await context.moves.read(req);
  const call: BeginOptions = moved ? moved.options : options;
  const tenant = moved ? moved.tenant : context.tenant?.(req);
  const configuration = await context.source.resolve({ req, tenant });
  const named = call.callbackURL ?? configuration.callbackURL ?? context.defaultCallback?.(req);
  const callbackURL = absoluteCallbackURL(req, named, context.addresses);
  const login = loginRequest(configuration, call, callbackURL);
  const repetition = named?.startsWith('/') === true ? context.addresses.repetition(req, named) : undefined;
  if (repetition !== undefined) context.warn('PUBLIC_URL_PATH', repetition);

  const elsewhere = await moveTo(req, context, { callbackURL, moved, options: call, tenant });
  if (elsewhere !== undefined) return { redirectTo: elsewhere, cookies: [] };

  const { calculatePKCECodeChallenge, generateRandomCodeVerifier } = await loaded(() => import('oauth4webapi'));
  const codeVerifier = generateRandomCodeVerifier();
  const { state, cookies } = await context.transactions.create(req, {
    clientID: configuration.clientID,
    baseUrl: login.baseUrl,
    callbackURL,
    codeVerifier,
    tenant,
    nonce: login.nonce,
    appState: call.appState,
    ...(moved ? { isMoved: true as const } : {}),
  });
  const url = new URL(endpointsOf(login.baseUrl).authorization_endpoint);
  const query = {
    ...login.params,
    ...params?.(login),
    response_type: 'code',
    client_id: configuration.clientID,
    redirect_uri: callbackURL,
    ...(login.scope.length > 0 ? { scope: login.scope.join(' ') } : {}),
    state,
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return { redirectTo: url.href, cookies };
}

/** The URL at the callback's origin, if the login began at another one and can move. */
async function moveTo(
  req: Request,
  { addresses, moves, warn }: LoginContext,
  { callbackURL, moved, options, tenant }: MoveRequest,
): Promise<string | undefined> {
  const to = new URL(callbackURL).origin;
  const from = addresses.seen(req);
  if (req.method !== 'GET' || from === undefined || from === to) return undefined;
  if (moved) {
    // The login has moved and still seems to be at another origin: a proxy hides the origin that the browser uses. With
    // `publicUrl` the application knows that origin all the same.
    if (addresses.of(req).origin !== to) warn('LOGIN_ORIGIN', movedText({ from, to }));
    return undefined;
  }
  return moves.urlFor(req, to, { addresses, moved: { origin: from, tenant, options: { ...options } } });
}

interface MoveRequest {
  callbackURL: string;
  moved: MovedLogin | undefined;
  options: BeginOptions;
  tenant: string | undefined;
}
