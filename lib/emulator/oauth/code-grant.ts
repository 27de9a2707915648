import { createHash } from 'node:crypto';
import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import type { AuthorizationCode } from '../state/codes';
import { accessError } from './app-access';
import { authenticateUserFlow } from './client-authentication';
import { tokenReply } from './token-reply';

/** Exchanges an authorization code (RFC 6749, section 4.1.3). Every attempt uses the code up, even a failed one. */
export async function authorizationCodeGrant(provider: Provider, exchange: Exchange): Promise<Reply> {
  const { form } = exchange;
  const authentication = authenticateUserFlow(provider, exchange, 'requireSecretForWebServerFlow');
  if ('refused' in authentication) return authentication.refused;
  const { client } = authentication;
  const code = provider.codes.find(form.get('code') ?? '');
  if (code?.client !== client) return oauthError('invalid_grant', 'authentication failure');
  if (code.used) {
    // RFC 6749, section 4.1.2: a code that is used twice may be stolen, so its tokens are revoked.
    if (code.grant) provider.grants.revoke(code.grant);
    return oauthError('invalid_grant', 'expired authorization code');
  }
  code.used = true;
  if (provider.codes.isExpired(code)) return oauthError('invalid_grant', 'expired authorization code');
  const refusal =
    redirectError(code, form.get('redirect_uri')) ??
    verifierError(code, form.get('code_verifier')) ??
    accessError(provider, client, code.user, code.scopes);
  if (refusal) return refusal;
  const grant = provider.grants.open(client, code.user, code.scopes, code.site);
  code.grant = grant;
  return tokenReply(provider, grant, {
    issuer: exchange.origin + exchange.site,
    refreshToken: grant.refreshToken,
    nonce: code.nonce,
  });
}

function redirectError(code: AuthorizationCode, redirectURI: string | null): Reply | undefined {
  if (redirectURI === null) return oauthError('redirect_uri_missing', 'redirect_uri not provided');
  return redirectURI === code.redirectURI
    ? undefined
    : oauthError('redirect_uri_mismatch', 'redirect_uri must match configuration');
}

/**
 * RFC 7636, section 4.6. A verifier without a challenge is refused as well. Otherwise an attacker could remove the challenge
 * from the authorization request (RFC 9700, section 2.1.1).
 */
function verifierError(code: AuthorizationCode, verifier: string | null): Reply | undefined {
  if (code.codeChallenge === undefined && verifier === null) return undefined;
  // RFC 7636 allows 128 characters. Salesforce allows 128 bytes before encoding, which are the 171 characters that jsforce
  // sends.
  const isWellFormed = verifier !== null && /^[\w.~-]{43,171}$/.test(verifier);
  return isWellFormed && createHash('sha256').update(verifier).digest('base64url') === code.codeChallenge
    ? undefined
    : oauthError('invalid_grant', 'invalid code verifier');
}
