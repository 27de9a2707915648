/**
 * The settings of an External Client App or Connected App, as an administrator sets them in Setup.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.connected_app_manage_oauth.htm
 */
export interface ClientPolicy {
  /** "Require Secret for Web Server Flow". Default true. A secret in the request is always checked. */
  requireSecretForWebServerFlow: boolean;
  /** "Require Secret for Refresh Token Flow". Default true. */
  requireSecretForRefreshTokenFlow: boolean;
  /** "Require Proof Key for Code Exchange". Default true in today's app and for a public client, else false. */
  requirePkce: boolean;
  /**
   * "Enable Refresh Token Rotation". Default true in today's app, else false. If rotation is on, presenting a spent token
   * revokes the whole grant.
   */
  rotateRefreshTokens: boolean;
  /**
   * How long a refresh token is valid: until it is revoked (default), not at all, a time after its last use, or a time after
   * the approval.
   */
  refreshTokenPolicy: 'until-revoked' | 'immediate' | { idleSeconds: number } | { absoluteSeconds: number };
  /** A sliding limit on top of `refreshTokenPolicy`. Default 30 days in today's app, else none. */
  idleTTLSeconds: number | undefined;
  /**
   * Whether Salesforce has locked `requirePkce`, `rotateRefreshTokens` and `idleTTLSeconds`. A change of a locked setting is
   * an error. Default true in today's app, else false.
   */
  locked: boolean;
  /** Most refresh tokens of a user for the app. A further one revokes the oldest. Default 5. */
  maxApprovals: number;
  /** `opaque`: session ids (default). `jwt`: JWT-based access tokens, which end at a fixed time. */
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
   * "Refresh Token IP Allowlist": addresses and ranges such as `203.0.113.0/24`; only these addresses may
   * exchange codes and refresh tokens. At most 128 ranges of at most 256 addresses. Default undefined: every address.
   */
  refreshTokenIPAllowlist: readonly string[] | undefined;
  /** Host of the `id` URL: the login host, as at login.salesforce.com (default), or the organization's instance. */
  idHost: 'login' | 'instance';
  /** `iss` of ID tokens: the host of the token request (default), or the organization's My Domain. */
  idTokenIssuer: 'login' | 'instance';
  /** Life of an ID token, in seconds. Default 120. */
  idTokenTimeoutSeconds: number;
  /** "Include Standard Claims": ID tokens name the user. Default false. */
  includeStandardClaims: boolean;
  /** Whether the app is installed in the users' organizations. Default true. */
  appInstalled: boolean;
  /** The kind of the app. It decides which error a missing installation has. Default `external-client-app`. */
  appKind: 'external-client-app' | 'connected-app';
  /** Whether an administrator blocked the app, which ends its sessions too. Default false. */
  blocked: boolean;
  /** "Admin approved users are pre-authorized": their usernames. Default undefined: all users may self-authorize. */
  adminApprovedUsers: readonly string[] | undefined;
  /** `expires_in` of token replies. Default undefined, because Salesforce does not send `expires_in`. */
  expiresInSeconds: number | undefined;
  /** "Selected OAuth Scopes": the scopes that the app may ask for. A request without scopes gets all of them. */
  assignedScopes: readonly string[];
}

/** When an app was created: `current` is the app that Salesforce creates now, `legacy` an app of before July 2026. */
export type AppAge = 'current' | 'legacy';

const thirtyDaysSeconds = 30 * 24 * 60 * 60;

/** The settings of an app of before July 2026, if an administrator has not changed them. */
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
 * The initial settings of an app, by its age.
 *
 * Several sources report that Salesforce sets and locks the three settings of today's app. Salesforce's own text was not seen
 * in full, so each of them can be changed here.
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

/** The scopes of an app that may also call the APIs at hosts of their own. */
export const scopesWithHostedApi: readonly string[] = [
  ...legacyPolicy.assignedScopes,
  ...['sfap_api', 'chatbot_api', 'mcp_api'],
];
