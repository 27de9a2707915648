import type { TokenCoordinator } from '../coordinator/coordinator';
import { isRenewable, type GrantKey } from '../coordinator/grant';
import { SalesforceAuthError } from '../errors';
import { isJwt } from '../token/token-format';
import type { TokenSet } from '../token/types';
import { isBelow, orSendAgain, send } from './send';

/** One request to an API that is not on the user's instance. */
export interface HostedRequest {
  url: URL;
  init: RequestInit;
  /** Valid tokens of the user. */
  tokens: TokenSet;
}

/**
 * Calls an API of Salesforce at a host of its own, with a valid token, and once more with a new one if the token is refused. No
 * redirect is followed.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_FOREIGN_ORIGIN` if `apiHosts` does not name the host,
 *   `ERR_SALESFORCE_JWT_TOKEN_NEEDED` for an opaque token, and what `fetch()` throws
 */
export async function fetchHostedApi(
  coordinator: TokenCoordinator,
  key: GrantKey,
  { url, init, tokens }: HostedRequest,
): Promise<Response> {
  const origins = await coordinator.apiOriginsOf(tokens);
  if (!origins.some((origin) => isBelow(url, origin))) throw foreignOrigin(url);
  requireJwt(tokens, url);
  const answer = await send(coordinator, url, init, tokens);
  // The instance may take a token that this host refuses, so each of them has refusals of its own.
  const refusedAt = `${key.grantId} at ${url.host}`;
  return orSendAgain(
    coordinator,
    key,
    answer,
    { init, tokens },
    {
      refusedAt,
      isRefused: isTokenRefused,
      // By time alone: each process that knew the newest token only would refresh in turn with the others, without end. And
      // without a refresh token there is no other token.
      isHopeless: (used) => !isRenewable(used) || coordinator.refusals.has(refusedAt),
      // The instance may still take it, and does not have to do without it while no refresh is possible.
      other: (unwanted) => ({ unwanted }),
      urlWith: (fresh) => {
        requireJwt(fresh, url);
        return url;
      },
    },
  );
}

/**
 * Whether the host refuses the token itself. What these hosts answer is not documented in full, so that each 401 counts, except
 * one that names another cause (RFC 6750, section 3.1).
 */
function isTokenRefused({ status, headers }: Response): boolean {
  if (status !== 401) return false;
  const error = /\berror="?([a-z_]+)/i.exec(headers.get('www-authenticate') ?? '')?.[1];
  return error === undefined || error === 'invalid_token';
}

/** An opaque token is not sent: it would be refused, as reported with a 404 that says nothing of tokens. */
function requireJwt({ accessToken }: TokenSet, url: URL): void {
  if (isJwt(accessToken)) return;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_JWT_TOKEN_NEEDED',
    `The APIs at ${url.host} take JWT-based access tokens, and the user's token is opaque. Tick "Issue JSON Web Token (JWT)-based ` +
      'access tokens for named users" in the OAuth settings of the app in Salesforce Setup; tokens are JWT-based from their next ' +
      'refresh or login on.',
    { status: 403 },
  );
}

function foreignOrigin(url: URL): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_FOREIGN_ORIGIN',
    `fetch was given a URL at ${url.protocol}//${url.host}, but a token goes to the user's instance only. Give it a path such as ` +
      "'/services/data/v68.0/limits'; an API host of Salesforce has to be named in the option apiHosts.",
  );
}
