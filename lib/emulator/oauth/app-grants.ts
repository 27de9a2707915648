import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import { accessError } from './app-access';
import { audiencesOf, isCurrent, isSignedBy, readClaims } from './assertion';
import { authenticateClient } from './client-authentication';
import { grantedScopes } from './scopes';
import { tokenReply } from './token-reply';

/**
 * JWT bearer (RFC 7523, section 2.1): the app signs a JWT for a user who approved the app, or whom an administrator approved.
 * `aud` names the login host or a site, not a My Domain. The reply has no refresh token.
 */
export async function jwtBearerGrant(provider: Provider, exchange: Exchange): Promise<Reply> {
  const assertion = exchange.form.get('assertion') ?? '';
  const claims = readClaims(assertion);
  if (!claims) return oauthError('invalid_grant', 'invalid assertion');
  const client = provider.clients.find(String(claims['iss']));
  if (!client) return oauthError('invalid_client_id', 'client identifier invalid');
  if (!isSignedBy(client, assertion) || !isCurrent(provider, claims)) {
    return oauthError('invalid_grant', 'invalid assertion');
  }
  const { login, sitePath } = provider.hosts;
  if (!audiencesOf(claims).some((audience) => isOneOf(audience, [login, login + sitePath]))) {
    return oauthError('invalid_grant', 'audience is invalid');
  }
  const user = provider.users.find(({ username }) => username === claims['sub']);
  if (!user) return oauthError('invalid_grant', "user hasn't approved this consumer");
  const scopes = appScopes(grantedScopes(client, exchange.form.get('scope')), ['refresh_token', 'offline_access']);
  if (!scopes) return oauthError('invalid_scope', 'the requested scope is not allowed');
  const refusal = accessError(provider, client, user, scopes);
  if (refusal) return refusal;
  const isApproved = client.policy.adminApprovedUsers !== undefined || provider.grants.isApproved(client, user, []);
  if (!isApproved) return oauthError('invalid_grant', "user hasn't approved this consumer");
  const grant = provider.grants.open(client, user, scopes, exchange.site);
  return tokenReply(provider, grant, { issuer: exchange.origin, refreshToken: undefined, nonce: undefined });
}

/**
 * Client credentials (RFC 6749, section 4.4): the app acts as its "Run As" user. A My Domain answers; the login host does
 * not.
 */
export async function clientCredentialsGrant(provider: Provider, exchange: Exchange): Promise<Reply> {
  const authentication = authenticateClient(provider, exchange);
  if ('refused' in authentication) return authentication.refused;
  const { client, proven } = authentication;
  if (!proven) return oauthError('invalid_client', 'invalid client credentials');
  if (exchange.origin === provider.hosts.login && provider.hosts.login !== provider.hosts.myDomain) {
    return oauthError('invalid_grant', 'request not supported on this domain');
  }
  const user = provider.users.find(({ username }) => username === client.policy.clientCredentialsRunAs);
  if (!user) return oauthError('invalid_grant', 'no client credentials user enabled');
  const scopes = appScopes(client.policy.assignedScopes, ['refresh_token', 'offline_access', 'full', 'web']) ?? [];
  // The administrator chose the user, so the list of approved users does not matter.
  const refusal = accessError(provider, client, user, scopes, { isChosen: true });
  if (refusal) return refusal;
  const grant = provider.grants.open(client, user, scopes, exchange.site);
  const reply = await tokenReply(provider, grant, {
    issuer: exchange.origin,
    refreshToken: undefined,
    nonce: undefined,
  });
  return { ...reply, json: { ...(reply.json as object), api_instance_url: provider.instanceOf(user.organizationId) } };
}

function appScopes(scopes: readonly string[] | undefined, taken: readonly string[]): string[] | undefined {
  return scopes?.filter((scope) => !taken.includes(scope));
}

/** Compares URLs without a trailing slash, because Salesforce's command line sends one. */
function isOneOf(audience: unknown, urls: readonly string[]): boolean {
  return typeof audience === 'string' && urls.includes(audience.replace(/\/$/, ''));
}
