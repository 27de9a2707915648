/**
 * The switches of an External Client App or Connected App, as an administrator sets them in Setup.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
 */
export interface ClientPolicy {
  /** "Require Secret for Web Server Flow". Default true. A secret that is sent is checked either way. */
  requireSecretForWebServerFlow: boolean;
  /** "Require Secret for Refresh Token Flow". Default true. */
  requireSecretForRefreshTokenFlow: boolean;
  /** "Require Proof Key for Code Exchange". Default true in today's app and for a public client, else false. */
  requirePkce: boolean;
  /**
   * "Enable Refresh Token Rotation". Default true in today's app, else false. Presenting a spent token then revokes the whole
   * grant.
   */
  rotateRefreshTokens: boolean;
  /**
   * How long a refresh token lives: until it is revoked (default), not at all, a while after its last use, or a while
   * after the approval.
   */
  refreshTokenPolicy: 'until-revoked' | 'immediate' | { idleSeconds: number } | { absoluteSeconds: number };
  /** A sliding limit on top of `refreshTokenPolicy`. Default 30 days in today's app, else none. */
  idleTTLSeconds: number | undefined;
  /**
   * Whether Salesforce has greyed out `requirePkce`, `rotateRefreshTokens` and `idleTTLSeconds`: a change of one of them is an
   * error then. Default true in today's app, else false.
   */
  locked: boolean;
  /** Refresh tokens a user may have for the app; one more revokes the oldest. Default 5. */
  maxApprovals: number;
  /** Opaque session ids (default), or JWT-based access tokens that end at a fixed time. */
  accessTokenFormat: 'opaque' | 'jwt';
  /** Life of a JWT-based access token, in seconds. Default 1800. */
  jwtTimeoutSeconds: number;
  /** Session timeout of the app's own policy, in seconds. Default: `sessionTimeoutSeconds` of the emulator. */
  sessionTimeoutSeconds: number | undefined;
  /** "Enable Authorization Code and Credentials Flow", headless login for users of the site. Default false. */
  authorizationCodeAndCredentials: boolean;
  /** "Require user credentials in the POST body": headless login takes no Basic header. Default false. */
  isCodeCredentialPostOnly: boolean;
  /** "Enable Client Credentials Flow" with this username as "Run As". Default undefined: the flow is off. */
  clientCredentialsRunAs: string | undefined;
  /**
   * "Refresh Token IP Allowlist": addresses and ranges such as `203.0.113.0/24`; codes are exchanged and tokens refreshed from
   * there alone. At most 128 ranges of at most 256 addresses. Default undefined: from everywhere.
   */
  refreshTokenIPAllowlist: readonly string[] | undefined;
  /** Host of the `id` URL: the login host, as login.salesforce.com answers (default), or the organization's instance. */
  idHost: 'login' | 'instance';
  /** `iss` of ID tokens: the host the token was asked of (default), or the organization's My Domain. */
  idTokenIssuer: 'login' | 'instance';
  /** Life of an ID token, in seconds. Default 120. */
  idTokenTimeoutSeconds: number;
  /** "Include Standard Claims": ID tokens name the user. Default false. */
  includeStandardClaims: boolean;
  /** Whether the app is installed in the users' organizations. Default true. */
  appInstalled: boolean;
  /** What the app is; it decides how a missing installation is reported. Default `external-client-app`. */
  appKind: 'external-client-app' | 'connected-app';
  /** Whether an administrator blocked the app, which ends its sessions too. Default false. */
  blocked: boolean;
  /** "Admin approved users are pre-authorized": their usernames. Default undefined: all users may self-authorize. */
  adminApprovedUsers: readonly string[] | undefined;
  /** Makes token replies carry `expires_in`. Default undefined, because Salesforce sends none. */
  expiresInSeconds: number | undefined;
  /** "Selected OAuth Scopes": what the app may ask for, and gets when it asks for nothing. */
  assignedScopes: readonly string[];
}

/** When an app was made: `current` is the app Salesforce makes now, `legacy` an app of before July 2026. */
export type AppAge = 'current' | 'legacy';

const thirtyDaysSeconds = 30 * 24 * 60 * 60;

/** What an app of before July 2026 is set to, unless somebody changed it. */
const legacyPolicy: ClientPolicy = {
  requireSecretForWebServerFlow: true,
  requireSecretForRefreshTokenFlow: true,
  requirePkce: false,
  rotateRefreshTokens: false,
  refreshTokenPolicy: 'until-revoked',
  idleTTLSeconds: undefined,
  locked: false,
  maxApprovals: 5,
  accessTokenFormat: 'opaque',
  jwtTimeoutSeconds: 1800,
  sessionTimeoutSeconds: undefined,
  authorizationCodeAndCredentials: false,
  isCodeCredentialPostOnly: false,
  clientCredentialsRunAs: undefined,
  refreshTokenIPAllowlist: undefined,
  idHost: 'login',
  idTokenIssuer: 'login',
  idTokenTimeoutSeconds: 120,
  includeStandardClaims: false,
  appInstalled: true,
  appKind: 'external-client-app',
  blocked: false,
  adminApprovedUsers: undefined,
  expiresInSeconds: undefined,
  assignedScopes: ['id', 'api', 'web', 'full', 'refresh_token', 'openid', 'profile', 'email', 'address', 'phone'],
};

/**
 * What a new app is set to, by when it was made.
 *
 * Several sources report that Salesforce sets the three switches of today's app and greys them out. Salesforce's own text was
 * not seen in full, so each of them can be set otherwise here.
 */
export const defaultPolicies: Readonly<Record<AppAge, ClientPolicy>> = {
  legacy: legacyPolicy,
  current: {
    ...legacyPolicy,
    requirePkce: true,
    rotateRefreshTokens: true,
    idleTTLSeconds: thirtyDaysSeconds,
    locked: true,
  },
};
