import type { EmulatorClient } from '../state/clients';

/** The scopes a request gets, or undefined where it asks for one the app is not assigned. */
export function grantedScopes(client: EmulatorClient, requested: string | null): readonly string[] | undefined {
  const assigned = client.policy.assignedScopes;
  const names = (requested ?? '').split(' ').filter((name) => name !== '');
  if (names.length === 0) return assigned;
  const hasRefresh = assigned.includes('refresh_token') || assigned.includes('offline_access');
  const isAllowed = (name: string): boolean =>
    // Two names of one permission at Salesforce.
    name === 'refresh_token' || name === 'offline_access' ? hasRefresh : assigned.includes(name);
  return names.every(isAllowed) ? [...new Set(names)] : undefined;
}

/** Scopes that open the identity URL and userinfo: one of them is enough. */
const identityScopes = ['id', 'openid', 'profile', 'email', 'address', 'phone', 'full', 'api', 'web'];

export function opensIdentity(scopes: readonly string[]): boolean {
  return scopes.some((scope) => identityScopes.includes(scope));
}

/** Salesforce's own command line reads userinfo with the scopes `refresh_token api web`, so `openid` is not needed. */
export function opensUserinfo(scopes: readonly string[]): boolean {
  return opensIdentity(scopes);
}

export function opensData(scopes: readonly string[]): boolean {
  return scopes.includes('api') || scopes.includes('full');
}
