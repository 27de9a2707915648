import type { SalesforceRuntimeErrorCode } from '../error-codes';
import { policiesPage, settingsPage, setupPage } from './setup-pages';

/**
 * What an error of the token endpoint means for the grant whose refresh token was presented.
 *
 * - `ended`: the refresh token is over; only a new login helps
 * - `unknown`: the refusal has a text that is not in the table, so the refresh token may still be good
 * - `busy`: another request is using the same refresh token at this moment
 * - `refused`: the client, the app or a policy is wrong, and the grant is kept
 * - `transient`: Salesforce did not carry out the request, so it may be sent again
 * - `inDoubt`: the refresh token may or may not have been spent
 */
export type Disposition = 'ended' | 'unknown' | 'busy' | 'refused' | 'transient' | 'inDoubt';

/** What an error of Salesforce means for this package. */
export interface Meaning {
  readonly code: SalesforceRuntimeErrorCode;
  /** HTTP status of our answer. */
  readonly status: number;
  /** What it means for the grant, if the error answers a refresh. */
  readonly disposition: Disposition;
  /** What the operator can do. Part of the error's message. */
  readonly advice: string;
}

const refusal = (
  code: SalesforceRuntimeErrorCode,
  status: number,
  advice: string,
  disposition: Disposition = 'refused',
): Meaning => ({ code, status, disposition, advice });

/** The meanings by name. There is one for each next step of an operator or user. */
export const meanings = {
  accessDenied: refusal(
    'ERR_SALESFORCE_ACCESS_DENIED',
    403,
    'The user chose Deny on the approval page. The user must choose Allow.',
  ),
  immediate: refusal(
    'ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL',
    401,
    "The parameter 'immediate' works only for users who are logged in and have approved the app. Send other users to a login without 'immediate'.",
  ),
  loginFailed: refusal(
    'ERR_SALESFORCE_LOGIN_FAILED',
    401,
    'Salesforce did not log the user in. The login history in Setup says why.',
  ),
  loginRestricted: refusal(
    'ERR_SALESFORCE_LOGIN_RESTRICTED',
    403,
    `Login IP ranges, login hours or the required session level refuse the user. See the user's profile, and the policies of the app ${policiesPage}.`,
  ),
  ipRestricted: refusal(
    'ERR_SALESFORCE_IP_RESTRICTED',
    502,
    `The organization does not allow the address of this server, or logins at this hour. Add the address to the trusted ranges and to the app's Refresh Token IP Allowlist, or relax the app's IP policy ${policiesPage}. See docs/guide/network.md.`,
  ),
  userInactive: refusal(
    'ERR_SALESFORCE_USER_INACTIVE',
    403,
    `The user or the organization is not active. An administrator can activate them ${setupPage}. Salesforce also freezes users whose requests come from an address with a bad reputation.`,
    'ended',
  ),
  notInstalled: refusal(
    'ERR_SALESFORCE_APP_NOT_INSTALLED',
    403,
    "The app is not installed in the user's organization. Its administrator must install the app, or give the user the permission " +
      '"Approve Uninstalled Connected Apps". For a local External Client App, set baseUrl to the My Domain of its own organization.',
  ),
  notApproved: refusal(
    'ERR_SALESFORCE_APP_NOT_APPROVED',
    403,
    `Only approved users may use the app. Assign the app to the user's profile or permission set ${policiesPage}.`,
  ),
  /** For an app token of a user. */
  notPreauthorized: refusal(
    'ERR_SALESFORCE_APP_NOT_APPROVED',
    403,
    'The user has not approved the app, and an app token has no approval page. In the policies of the app, set Permitted Users to "Admin approved ' +
      `users are pre-authorized", and assign the app to the user's profile or permission set ${setupPage}. Check the username too.`,
  ),
  runAsMissing: refusal(
    'ERR_SALESFORCE_RUN_AS_USER_MISSING',
    502,
    `Enable the client credentials flow in the app's OAuth settings, and choose a "Run As" user in its policies ${setupPage}.`,
  ),
  myDomainNeeded: refusal(
    'ERR_SALESFORCE_MY_DOMAIN_NEEDED',
    502,
    'Salesforce serves the client credentials flow at a My Domain, not at a login host. Give app() the baseUrl https://<MyDomain>.my.salesforce.com.',
  ),
  audience: refusal(
    'ERR_SALESFORCE_AUDIENCE_INVALID',
    502,
    'Set audience of app() to https://login.salesforce.com. For a sandbox, use https://test.salesforce.com. For users of a site, use the URL of the site.',
  ),
  assertionRefused: refusal(
    'ERR_SALESFORCE_CLIENT_REJECTED',
    502,
    `Check that the app has the certificate of clientKey ${setupPage}, and that the clock of this machine is right.`,
  ),
  blocked: refusal(
    'ERR_SALESFORCE_APP_BLOCKED',
    403,
    `An administrator blocked the app. An administrator can unblock the app under "Connected Apps OAuth Usage" ${setupPage}.`,
  ),
  approvalFailed: refusal(
    'ERR_SALESFORCE_APPROVAL_FAILED',
    403,
    "Salesforce does not say why. Most often the app is not installed in the user's organization, or the user may not approve it.",
  ),
  appMisconfigured: refusal(
    'ERR_SALESFORCE_APP_MISCONFIGURED',
    502,
    `The app's OAuth settings or policies are incomplete in the organization. Open the app ${setupPage}, and save both.`,
  ),
  clientUnknown: refusal(
    'ERR_SALESFORCE_CLIENT_UNKNOWN',
    502,
    'Salesforce knows no app with this clientID at this baseUrl. Compare clientID with the Consumer Key of the app. A new or changed app can take ten minutes to work.',
  ),
  wrongClient: refusal(
    'ERR_SALESFORCE_CLIENT_REJECTED',
    502,
    'See that clientSecret is set and is the Consumer Secret of the app, or that the certificate of clientKey is the certificate in ' +
      `the app ${setupPage}. Check clientID and baseUrl too.`,
  ),
  redirectUri: refusal(
    'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    502,
    `Add the callback URL, exactly as it is sent, to the app's callback URLs ${settingsPage}, or correct callbackURL.`,
  ),
  pkceRequired: refusal(
    'ERR_SALESFORCE_PKCE_REQUIRED',
    502,
    'The app requires PKCE, which this package always sends. Find out what removes code_challenge from the authorization request.',
  ),
  dpopRequired: refusal(
    'ERR_SALESFORCE_DPOP_REQUIRED',
    502,
    `The app requires DPoP, which this package does not send. Make DPoP optional in the app ${setupPage}.`,
  ),
  flowDisabled: refusal(
    'ERR_SALESFORCE_FLOW_DISABLED',
    502,
    'Check that baseUrl is a login host, My Domain or site (not a Lightning address), and that the flow is enabled in the ' +
      `app and the organization ${setupPage}.`,
  ),
  scopeInvalid: refusal(
    'ERR_SALESFORCE_SCOPE_INVALID',
    502,
    `Assign the scopes of the scope option to the app ${settingsPage}, or remove them from the option.`,
  ),
  /** Every other error of a callback: wrong parameters, and errors of flows that this package does not use. */
  authorization: refusal(
    'ERR_SALESFORCE_OAUTH',
    502,
    `Check the app's OAuth settings and policies ${setupPage}, and the option login.authorizationParams.`,
  ),
  /** Every other error of the token endpoint. */
  tokenEndpoint: refusal(
    'ERR_SALESFORCE_OAUTH',
    502,
    `Check baseUrl, and the app's OAuth settings and policies ${setupPage}.`,
  ),
  newLogin: refusal('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', 401, 'The user must log in again.', 'ended'),
  unknownRefusal: refusal(
    'ERR_SALESFORCE_REFUSAL_UNKNOWN',
    503,
    'This package does not know the text, so it asks Salesforce whether the refresh token is still good. Look the text up: Salesforce may refuse an IP range, a policy or the user.',
    'unknown',
  ),
  anotherLogin: refusal('ERR_SALESFORCE_CODE_REJECTED', 400, 'Start the login again.', 'ended'),
  limited: refusal(
    'ERR_SALESFORCE_RATE_LIMITED',
    503,
    'Salesforce asks for fewer requests. Try again later.',
    'transient',
  ),
  unavailable: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Salesforce is not available at the moment; try again later.',
    'transient',
  ),
  /** It is unknown whether Salesforce carried out the request. */
  inDoubt: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Salesforce is not available at the moment; try again later.',
    'inDoubt',
  ),
  busy: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Another process is using the same refresh token outside the shared token store.',
    'busy',
  ),
  profile: refusal(
    'ERR_SALESFORCE_PROFILE',
    502,
    "Assign the scope 'id' to the app (for login.profileSource 'userinfo', the scope 'openid').",
  ),
  apiTokenRefused: refusal(
    'ERR_SALESFORCE_API_TOKEN_REFUSED',
    502,
    'Salesforce refuses a token that was just refreshed. Check the session policies of the app and the organization.',
  ),
  apiScopeMissing: refusal(
    'ERR_SALESFORCE_INSUFFICIENT_SCOPE',
    403,
    "Salesforce gives this answer for four causes. The scope 'api' may be missing: add it to the scope option and to the app, and " +
      'let the user log in again. Reported causes are also: the organization requires a high-assurance session, the IP ' +
      'restrictions of the app are not relaxed, or a policy blocks the connection.',
  ),
  apiNotAttached: refusal(
    'ERR_SALESFORCE_APP_MISCONFIGURED',
    502,
    `Add the app to the agent's connections ${setupPage}.`,
  ),
  apiLimit: refusal(
    'ERR_SALESFORCE_API_LIMIT',
    503,
    `The organization has used up its API requests. See "API Requests, Last 24 Hours" under Company Information ${setupPage}.`,
    'transient',
  ),
  apiRecordLocked: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Another transaction has locked the record. Try the same call again shortly.',
    'transient',
  ),
  passwordExpired: refusal(
    'ERR_SALESFORCE_PASSWORD_EXPIRED',
    403,
    "The user's password has expired. The user must log in at Salesforce, change the password, and try again.",
  ),
  apiDisabled: refusal(
    'ERR_SALESFORCE_API_DISABLED',
    403,
    'The user needs the permission "API Enabled". The organization needs an edition with API access.',
  ),
  api: refusal('ERR_SALESFORCE_API', 502, "Look the error up in Salesforce's documentation of the API."),
} as const satisfies Readonly<Record<string, Meaning>>;

export type MeaningName = keyof typeof meanings;
