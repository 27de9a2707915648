import type { Configuration } from '../options/configuration';
import type { Finding } from './findings';

/** What can be told from the options alone. */
export function checkSettings({ scope, sessionTimeoutSeconds, profileSource }: Configuration): Finding[] {
  return [scopes(scope, profileSource), policies(sessionTimeoutSeconds)];
}

function scopes(scope: readonly string[], profileSource: Configuration['profileSource']): Finding {
  const finding = (level: Finding['level'], message: string, fix?: string): Finding => ({
    check: 'scope',
    level,
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  if (scope.length === 0) {
    return finding(
      'unknown',
      'No scope is asked for, so Salesforce gives what the app is assigned.',
      "Name what you use in the scope option (SALESFORCE_SCOPE), for instance 'openid id api refresh_token'.",
    );
  }
  if (!scope.includes('refresh_token') && !scope.includes('offline_access')) {
    return finding(
      'warning',
      'refresh_token is not among the scopes, so each login ends with its first access token.',
      "Add 'refresh_token' to the scope option and to the app.",
    );
  }
  const needed = {
    id_token: ['openid'],
    identity: ['id', 'openid', 'full', 'api', 'web'],
    userinfo: ['openid'],
    id: [],
  }[profileSource];
  if (needed.length > 0 && !needed.some((name) => scope.includes(name))) {
    const name = profileSource === 'identity' ? 'id' : 'openid';
    return finding(
      'warning',
      `The profile of a user cannot be read: '${name}' is not among the scopes.`,
      `Add '${name}' to the scope option and to the app, or set profileSource to 'id'.`,
    );
  }
  return finding('ok', `Asked for: ${scope.join(' ')}.`);
}

function policies(sessionTimeoutSeconds: number): Finding {
  return {
    check: 'policies',
    level: 'unknown',
    message:
      'The refresh token policy, idle limits, rotation, session timeout and IP policy of the app cannot be seen from outside.',
    fix:
      'A new app (External Client App Manager › Policies): what is greyed there is fine. An app you already have (App Manager › ' +
      'Manage): refresh tokens "valid until revoked", never "immediately expire". Both: the idle limit as in ' +
      `refresh.idleLimitSeconds, and the session timeout ${sessionTimeoutSeconds} seconds as in sessionTimeoutSeconds.`,
  };
}
