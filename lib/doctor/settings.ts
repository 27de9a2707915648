import type { Configuration } from '../options/configuration';
import type { Finding } from './findings';

/** Checks what the options show without asking Salesforce. */
export function checkSettings(configuration: Configuration): Finding[] {
  return [scopes(configuration), policies(configuration.sessionTimeoutSeconds)];
}

/** Scopes that open the identity URL, and those that open userinfo. One of them is enough. */
const atIdentity = ['id', 'openid', 'profile', 'email', 'address', 'phone', 'full', 'api', 'web'];
const atUserinfo = ['openid', 'full', 'api', 'web'];

function scopes({ scope, profileSource, clientSecret }: Configuration): Finding {
  const finding = (level: Finding['level'], message: string, fix?: string): Finding => ({
    check: 'scope',
    level,
    message,
    ...(fix === undefined ? {} : { fix }),
  });
  if (scope.length === 0) {
    return finding(
      'unknown',
      'The scope option is empty, so Salesforce gives every scope that the app is assigned.',
      "Name the scopes you use in the scope option (SALESFORCE_SCOPE), for instance 'openid id api refresh_token'.",
    );
  }
  const hasSecret = clientSecret !== undefined;
  if (!hasSecret && profileSource === 'id' && !scope.includes('openid')) {
    return {
      ...finding(
        'error',
        "A client without a secret cannot verify the signed id URL, and the scopes lack 'openid', so every login fails.",
        "Add 'openid' to the scope option and to the app, or set login.profileSource to 'identity' or 'userinfo'.",
      ),
      code: 'ERR_SALESFORCE_IDENTITY_UNPROVEN',
    };
  }
  if (!scope.includes('refresh_token') && !scope.includes('offline_access')) {
    return finding(
      'warning',
      'The scopes lack refresh_token, so each login ends with its first access token.',
      "Add 'refresh_token' to the scope option and to the app.",
    );
  }
  // An ID token that does not name the user is followed by a request: a public client's is for userinfo.
  const isAtUserinfo = profileSource === 'userinfo' || (profileSource === 'id_token' && !hasSecret);
  const needed = isAtUserinfo ? atUserinfo : atIdentity;
  if (profileSource !== 'id' && !needed.some((name) => scope.includes(name))) {
    const name = isAtUserinfo ? 'openid' : 'id';
    return finding(
      'warning',
      `The profile of a user cannot be read, because the scopes lack '${name}'.`,
      `Add '${name}' to the scope option and to the app${hasSecret ? ", or set login.profileSource to 'id'" : ''}.`,
    );
  }
  return finding('ok', `Logins ask for: ${scope.join(' ')}.`);
}

function policies(sessionTimeoutSeconds: number): Finding {
  return {
    check: 'policies',
    level: 'unknown',
    message:
      'The refresh token policy, idle limits, rotation, session timeout and IP policy of the app cannot be seen without a login.',
    fix:
      'For a new app (External Client App Manager › Policies), grayed-out values are fine. For an older app (App Manager › Manage), ' +
      'set refresh tokens to "valid until revoked", never "immediately expire". For both, the idle limit must equal ' +
      `refresh.idleLimitSeconds, and the session timeout must be ${sessionTimeoutSeconds} seconds, as in sessionTimeoutSeconds.`,
  };
}
