import type { EmulatorClient } from '../state/clients';

/** The granted scopes, or undefined if the request asks for a scope that the app is not assigned. */
export function grantedScopes(client: EmulatorClient, requested: string | null): readonly string[] | undefined {
  const assigned = client.policy.assignedScopes;
  const names = (requested ?? '').split(' ').filter((name) => name !== '');
  if (names.length === 0) return assigned;
  const hasRefresh = assigned.includes('refresh_token') || assigned.includes('offline_access');
  const isAllowed = (name: string): boolean =>
    // At Salesforce, both names mean the same permission.
    name === 'refresh_token' || name === 'offline_access' ? hasRefresh : assigned.includes(name);
  return names.every(isAllowed) ? [...new Set(names)] : undefined;
}

/** Scopes for the identity URL and userinfo. One of them is enough. */
const identityScopes = ['id', 'openid', 'profile', 'email', 'address', 'phone', 'full', 'api', 'web'];

export function opensIdentity(scopes: readonly string[]): boolean {
  return scopes.some((scope) => identityScopes.includes(scope));
}

/** `openid` is not required: Salesforce's own command line reads userinfo with the scopes `refresh_token api web`. */
export function opensUserinfo(scopes: readonly string[]): boolean {
  return opensIdentity(scopes);
}

export function opensData(scopes: readonly string[]): boolean {
  return scopes.includes('api') || scopes.includes('full');
}
