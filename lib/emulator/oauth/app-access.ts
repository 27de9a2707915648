import { oauthError, type Reply } from '../http/reply';
import type { Exchange } from '../http/exchange';
import type { EmulatorUser } from '../org/users';
import type { Provider } from '../provider';
import { AddressList } from '../state/addresses';
import type { EmulatorClient } from '../state/clients';

/** Why a user may not use an app: the error for the browser, and the error of the token endpoint. */
interface Denial {
  browser: { error: string; description: string };
  token: { error: string; description: string };
}

/**
 * Checks whether the app is blocked, not installed, or not approved by an administrator. Undefined if the user may use the
 * app.
 */
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
  // Since September 2025, a connected app that is not installed works only for users who approved it earlier.
  if (!appInstalled && !provider.grants.isApproved(client, user, scopes)) {
    return denial('invalid_client', 'invalid_client', 'app must be installed into org');
  }
  if (adminApprovedUsers && !adminApprovedUsers.includes(user.username)) {
    return denial('OAUTH_APP_ACCESS_DENIED', 'invalid_app_access', 'user is not admin approved to access this app');
  }
  return undefined;
}

/** The error of the token endpoint if the user is inactive or may not use the app. */
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
 * Refuses a code exchange or refresh if the app's allowlist lacks the address. Salesforce's text for this error is not
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
