import type { SalesforceRuntimeErrorCode } from '../error-codes';

/**
 * What an answer of the token endpoint means for the grant that was presented.
 *
 * - `ended`: the grant is over; only a new login helps
 * - `unknown`: the grant is refused with a text that is not in the catalogue, which need not mean that it is over
 * - `busy`: the same refresh token is being used at this moment by somebody else
 * - `refused`: the client, the app or a policy is at fault, not the grant; the grant is kept
 * - `transient`: not carried out; it may be tried again
 * - `inDoubt`: nobody can tell whether the refresh token was spent
 */
export type Disposition = 'ended' | 'unknown' | 'busy' | 'refused' | 'transient' | 'inDoubt';

/** What becomes of an error of Salesforce. */
export interface Meaning {
  readonly code: SalesforceRuntimeErrorCode;
  /** HTTP status of our answer. */
  readonly status: number;
  /** For the grant, where it is the answer to a refresh. */
  readonly disposition: Disposition;
  /** What the operator does about it; part of the error's message. */
  readonly advice: string;
}

const refusal = (
  code: SalesforceRuntimeErrorCode,
  status: number,
  advice: string,
  disposition: Disposition = 'refused',
): Meaning => ({ code, status, disposition, advice });

const setupPage = 'in Salesforce Setup';
const settingsPage = `${setupPage} (External Client App Manager › Settings; a Connected App: App Manager › Edit)`;
const policiesPage = `${setupPage} (External Client App Manager › Policies; a Connected App: App Manager › Manage)`;

/** What can become of them, by name; each next step an operator or user can take is one. */
export const meanings = {
  accessDenied: refusal(
    'ERR_SALESFORCE_ACCESS_DENIED',
    403,
    'The user chose Deny on the approval page, and has to choose Allow.',
  ),
  immediate: refusal(
    'ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL',
    401,
    "The parameter 'immediate' lets only users pass who are logged in and have approved the app; send the others to the login without it.",
  ),
  loginFailed: refusal(
    'ERR_SALESFORCE_LOGIN_FAILED',
    401,
    'Salesforce did not log the user in; the login history says why.',
  ),
  loginRestricted: refusal(
    'ERR_SALESFORCE_LOGIN_RESTRICTED',
    403,
    `Login IP ranges, login hours or the required session level refuse the user; see the user's profile and the policies of the app ${policiesPage}.`,
  ),
  ipRestricted: refusal(
    'ERR_SALESFORCE_IP_RESTRICTED',
    502,
    `The address of this server (or the hour) is outside of what the organization allows; add it to the trusted ranges and to the app's Refresh Token IP Allowlist, or relax the app's IP policy ${policiesPage}. See docs/guide/network.md.`,
  ),
  userInactive: refusal(
    'ERR_SALESFORCE_USER_INACTIVE',
    403,
    `The user or the organization is not active; an administrator can activate it ${setupPage}. Salesforce also freezes users whose requests come from an address of ill repute.`,
    'ended',
  ),
  notInstalled: refusal(
    'ERR_SALESFORCE_APP_NOT_INSTALLED',
    403,
    "The app is not installed in the user's organization: its administrator installs it, or gives the user the permission " +
      '"Approve Uninstalled Connected Apps". For a local External Client App, set baseUrl to the My Domain of its own organization.',
  ),
  notApproved: refusal(
    'ERR_SALESFORCE_APP_NOT_APPROVED',
    403,
    `Only approved users may use the app: assign it to the user's profile or permission set ${policiesPage}.`,
  ),
  /** Of an app token for a user. */
  notPreauthorized: refusal(
    'ERR_SALESFORCE_APP_NOT_APPROVED',
    403,
    'The user has not approved the app, and nobody is there to do so: in the policies of the app set Permitted Users to "Admin approved ' +
      `users are pre-authorized", and assign the app to the user's profile or permission set ${setupPage}. Check the username as well.`,
  ),
  runAsMissing: refusal(
    'ERR_SALESFORCE_RUN_AS_USER_MISSING',
    502,
    `Enable the client credentials flow in the app's OAuth settings, and choose a "Run As" user in its policies ${setupPage}.`,
  ),
  myDomainNeeded: refusal(
    'ERR_SALESFORCE_MY_DOMAIN_NEEDED',
    502,
    'Salesforce serves the client credentials flow at a My Domain, and at no login host: give app() the baseUrl https://<MyDomain>.my.salesforce.com.',
  ),
  audience: refusal(
    'ERR_SALESFORCE_AUDIENCE_INVALID',
    502,
    'Set audience of app() to https://login.salesforce.com, for a sandbox to https://test.salesforce.com, for users of a site to the URL of the site.',
  ),
  assertionRefused: refusal(
    'ERR_SALESFORCE_CLIENT_REJECTED',
    502,
    `Check that the certificate in the app is that of clientKey ${setupPage}, and that the clock of this machine is right.`,
  ),
  blocked: refusal(
    'ERR_SALESFORCE_APP_BLOCKED',
    403,
    `An administrator blocked the app; it is unblocked under "Connected Apps OAuth Usage" ${setupPage}.`,
  ),
  approvalFailed: refusal(
    'ERR_SALESFORCE_APPROVAL_FAILED',
    403,
    "Salesforce does not say why. Most often the app is not installed in the user's organization, or the user may not approve it.",
  ),
  appMisconfigured: refusal(
    'ERR_SALESFORCE_APP_MISCONFIGURED',
    502,
    `The app's OAuth settings or policies are incomplete in the organization; open the app ${setupPage} and save both.`,
  ),
  clientUnknown: refusal(
    'ERR_SALESFORCE_CLIENT_UNKNOWN',
    502,
    'Salesforce knows no app with this clientID at this baseUrl: compare it with the Consumer Key. A new or changed app can take ten minutes to work.',
  ),
  wrongClient: refusal(
    'ERR_SALESFORCE_CLIENT_REJECTED',
    502,
    'Check clientSecret (and clientID and baseUrl) against the Consumer Secret of the app, or the certificate of clientKey ' +
      `against the one in the app ${setupPage}.`,
  ),
  redirectUri: refusal(
    'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    502,
    `Add the callback URL, exactly as it is sent, to the app's callback URLs ${settingsPage}, or correct callbackURL.`,
  ),
  pkceRequired: refusal(
    'ERR_SALESFORCE_PKCE_REQUIRED',
    502,
    'The app requires PKCE, which this package always sends: find out what takes code_challenge out of the authorization request.',
  ),
  dpopRequired: refusal(
    'ERR_SALESFORCE_DPOP_REQUIRED',
    502,
    `The app requires DPoP, which this package does not send; let the app allow it instead ${setupPage}.`,
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
    `Assign the scopes you ask for to the app ${settingsPage}, or take them out of the scope option.`,
  ),
  /** The callback's remainder: wrong parameters, and errors of flows this package does not use. */
  authorization: refusal(
    'ERR_SALESFORCE_OAUTH',
    502,
    `Check the app's OAuth settings and policies ${setupPage}, and the authorizationParams option.`,
  ),
  /** The token endpoint's remainder. */
  tokenEndpoint: refusal(
    'ERR_SALESFORCE_OAUTH',
    502,
    `Check baseUrl, and the app's OAuth settings and policies ${setupPage}.`,
  ),
  newLogin: refusal('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', 401, 'The user has to log in again.', 'ended'),
  unknownRefusal: refusal(
    'ERR_SALESFORCE_REFUSAL_UNKNOWN',
    503,
    'The text is new to this package, which asks Salesforce whether the refresh token is still good. Look the text up: an IP range, a policy or the user may be refused.',
    'unknown',
  ),
  anotherLogin: refusal('ERR_SALESFORCE_CODE_REJECTED', 400, 'Start the login again.', 'ended'),
  limited: refusal(
    'ERR_SALESFORCE_RATE_LIMITED',
    503,
    'Salesforce asks for fewer requests; try again later.',
    'transient',
  ),
  unavailable: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Salesforce is not available at the moment; try again later.',
    'transient',
  ),
  /** Carried out or not, nobody can tell. */
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
    "Check that the app is assigned the scope 'id' (or 'openid' for profileSource 'userinfo').",
  ),
  apiTokenRefused: refusal(
    'ERR_SALESFORCE_API_TOKEN_REFUSED',
    502,
    'Salesforce refuses a token that was just refreshed; look at the session policies of the app and the organization.',
  ),
  apiScopeMissing: refusal(
    'ERR_SALESFORCE_INSUFFICIENT_SCOPE',
    403,
    "Salesforce says so for four causes. The scope 'api' is missing: add it to the scope option and to the app, and have the " +
      'user log in again. As reported, also: the organization demands a high-assurance session, the IP restrictions of the app ' +
      'are not relaxed, or a policy blocks the connection.',
  ),
  apiNotAttached: refusal(
    'ERR_SALESFORCE_APP_MISCONFIGURED',
    502,
    `Add the app to the agent's connections ${setupPage}.`,
  ),
  apiLimit: refusal(
    'ERR_SALESFORCE_API_LIMIT',
    503,
    `The organization's API requests are used up; see "API Requests, Last 24 Hours" under Company Information ${setupPage}.`,
    'transient',
  ),
  apiRecordLocked: refusal(
    'ERR_SALESFORCE_UPSTREAM',
    503,
    'Another transaction holds the record; try the same call again shortly.',
    'transient',
  ),
  passwordExpired: refusal(
    'ERR_SALESFORCE_PASSWORD_EXPIRED',
    403,
    "The user's password has expired, and only the user can help: log in at Salesforce, change the password, and try again.",
  ),
  apiDisabled: refusal(
    'ERR_SALESFORCE_API_DISABLED',
    403,
    'The user needs the permission "API Enabled", and the organization an edition with API access.',
  ),
  api: refusal('ERR_SALESFORCE_API', 502, "Look error up in Salesforce's documentation of the API."),
} as const satisfies Readonly<Record<string, Meaning>>;

export type MeaningName = keyof typeof meanings;
