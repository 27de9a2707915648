import type { Clock } from '../clock';
import { SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { validateIdToken } from '../token/id-token';
import { toTokenSet } from '../token/token-set';
import type { TokenEndpointReply, TokenSet } from '../token/types';
import type { Transaction } from './transactions';

/** What a token reply proved. */
export interface ProvenReply {
  tokens: TokenSet;
  /** Of the ID token, if there is one. */
  claims: Record<string, unknown> | undefined;
}

/**
 * Proves a token reply of a login: hosts and signature, then the ID token, then that the identity is proven.
 *
 * @throws SalesforceAuthError, each cause with a code of its own
 */
export async function proveReply(
  reply: TokenEndpointReply,
  { configuration, transaction }: { configuration: Configuration; transaction: Transaction },
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
  assertIdentityProvable(configuration);
  return { tokens, claims: undefined };
}

/** @throws SalesforceAuthError `ERR_SALESFORCE_IDENTITY_UNPROVEN` if nothing can show who the user of a reply without an ID token is */
export function assertIdentityProvable({ clientSecret, profileSource }: Configuration): void {
  if (clientSecret !== undefined || profileSource !== 'id') return;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_IDENTITY_UNPROVEN',
    "A client without a secret cannot verify the signed id URL: ask for the scope 'openid', or set login.profileSource to 'identity' or 'userinfo'.",
  );
}

/** The tokens of an unproven reply, as far as revoking them needs. */
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
