import { oauthError, type Reply } from '../http/reply';
import type { Exchange } from '../http/exchange';
import type { EmulatorUser } from '../org/users';
import type { Provider } from '../provider';
import { AddressList } from '../state/addresses';
import type { EmulatorClient } from '../state/clients';

/** Why a user may not use an app: as the browser is told, and as the token endpoint says it. */
interface Denial {
  browser: { error: string; description: string };
  token: { error: string; description: string };
}

/** Blocked, not installed, not approved by the administrator: undefined where nothing stands in the way. */
export function denialOf(
  provider: Provider,
  client: EmulatorClient,
  user: EmulatorUser,
  scopes: readonly string[],
): Denial | undefined {
  const { blocked, appInstalled, appKind, adminApprovedUsers } = client.policy;
  if (blocked) return denial('OAUTH_APP_BLOCKED', 'app_blocked', 'this app is blocked by admin');
  if (!appInstalled && appKind === 'external-client-app') {
    return denial('OAUTH_EC_APP_NOT_FOUND', 'app_not_found', 'External client app is not installed in this org');
  }
  // Since September 2025 a connected app that is not installed works only for users who had approved it before.
  if (!appInstalled && !provider.grants.isApproved(client, user, scopes)) {
    return denial('invalid_client', 'invalid_client', 'app must be installed into org');
  }
  if (adminApprovedUsers && !adminApprovedUsers.includes(user.username)) {
    return denial('OAUTH_APP_ACCESS_DENIED', 'invalid_app_access', 'user is not admin approved to access this app');
  }
  return undefined;
}

/** The same, with the user's own state, as an error of the token endpoint. */
export function accessError(
  provider: Provider,
  client: EmulatorClient,
  user: EmulatorUser,
  scopes: readonly string[],
  { isChosen = false }: { isChosen?: boolean } = {},
): Reply | undefined {
  if (!user.active) return oauthError('invalid_grant', 'inactive user');
  const found = denialOf(provider, client, user, scopes);
  if (isChosen && found?.token.error === 'invalid_app_access') return undefined;
  return found && oauthError(found.token.error, found.token.description);
}

/**
 * Refuses a code exchange or refresh from an address that the app's allowlist does not have. Salesforce's own text is not
 * documented.
 */
export function addressError({ policy }: EmulatorClient, { address }: Exchange): Reply | undefined {
  const { refreshTokenIPAllowlist: ranges } = policy;
  if (!ranges || new AddressList(ranges).includes(address)) return undefined;
  return oauthError('invalid_grant', 'ip address not in the refresh token allowlist');
}

function denial(browserError: string, tokenError: string, description: string): Denial {
  return { browser: { error: browserError, description }, token: { error: tokenError, description } };
}
