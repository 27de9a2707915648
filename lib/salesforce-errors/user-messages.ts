import type { SalesforceErrorCode, SalesforceRuntimeErrorCode } from '../error-codes';

/** What a user reads and can do if an error has this code. */
export interface UserMessage {
  /** Whether the problem passes by itself, so that the user can try again later. */
  readonly isTransient: boolean;
  /** Heading of the error page. */
  readonly title: string;
  /** Text for the user. It says nothing about the setup, and repeats no text of Salesforce. */
  readonly userMessage: string;
  /** What the error page offers: a new login, the same request again, or the start page. */
  readonly next: 'log-in' | 'try-again' | 'home';
}

const permanent = (next: UserMessage['next'], title: string, userMessage: string): UserMessage => ({
  isTransient: false,
  title,
  userMessage,
  next,
});
const transient = (title: string, userMessage: string): UserMessage => ({
  isTransient: true,
  title,
  userMessage,
  next: 'try-again',
});

const setup = permanent(
  'try-again',
  'Something is not set up correctly',
  'Login with Salesforce is not set up correctly here. Please tell the people who run this application.',
);
const organization = permanent(
  'try-again',
  'Your organization must allow this first',
  'Your Salesforce organization does not allow this application yet. Please ask your Salesforce administrator.',
);
const interrupted = permanent(
  'log-in',
  'The login was not completed',
  'Please log in again. If this keeps happening, allow cookies for this site.',
);
const loginOver = permanent(
  'log-in',
  'Please log in again',
  'Your login has ended. Log in with Salesforce to continue.',
);
const distrusted = permanent(
  'try-again',
  'The login was stopped',
  'The answer from Salesforce could not be trusted, so you were not logged in. Try again. If it happens again, tell the people who run this application.',
);
const misused = permanent(
  'home',
  'Something went wrong',
  'This page could not be shown. Please tell the people who run this application.',
);
const refused = permanent(
  'log-in',
  'You cannot use this page',
  'Your Salesforce user is not allowed to use this page. Log in with another user, or ask the people who run this application for access.',
);
const unavailable = transient(
  'Salesforce is not available',
  'Salesforce cannot be reached right now. Please try again in a moment.',
);
const unreadable = permanent(
  'try-again',
  'Salesforce gave no usable answer',
  'The answer from Salesforce could not be read. Try again. If it happens again, tell the people who run this application.',
);
const busy = transient(
  'Please try again in a moment',
  'This page cannot be shown right now. You have not been logged out.',
);

/** What a user reads in place of the code's text if a store failed while a login or logout was written. */
export const loginUnknown = transient(
  'Please try again in a moment',
  'It could not be saved whether you are logged in or logged out, so you may be either. Please try again. If you cannot log out, close the browser.',
);

/** Every code of this package. This table alone decides whether an error is transient and what a user reads. */
export const userMessages: Readonly<Record<SalesforceErrorCode, UserMessage>> = {
  ERR_SALESFORCE_OPTION_INVALID: setup,
  ERR_SALESFORCE_BASE_URL_NOT_ALLOWED: setup,

  ERR_SALESFORCE_SESSION_MISSING: setup,
  ERR_SALESFORCE_MIDDLEWARE_MISSING: setup,
  ERR_SALESFORCE_CONFIGURATION: setup,
  ERR_SALESFORCE_JSFORCE: setup,

  ERR_SALESFORCE_STATE_MISMATCH: interrupted,
  ERR_SALESFORCE_LOGIN_EXPIRED: interrupted,
  ERR_SALESFORCE_CODE_REJECTED: interrupted,
  ERR_SALESFORCE_ACCESS_DENIED: permanent(
    'log-in',
    'Access was not allowed',
    'You chose not to give this application access to Salesforce. To use it, log in again and choose Allow.',
  ),
  ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL: permanent(
    'log-in',
    'Please log in',
    'Salesforce needs you to log in or to allow access first.',
  ),
  ERR_SALESFORCE_LOGIN_FAILED: permanent(
    'log-in',
    'Salesforce did not log you in',
    'Please log in again. If you cannot, ask your Salesforce administrator.',
  ),
  ERR_SALESFORCE_LOGIN_RESTRICTED: permanent(
    'log-in',
    'Your organization does not allow this login',
    'A rule of your Salesforce organization, such as login hours or the networks you may log in from, forbids this login. Ask your Salesforce administrator.',
  ),
  ERR_SALESFORCE_USER_INACTIVE: permanent(
    'log-in',
    'Your Salesforce user is not active',
    'Your user or organization is not active in Salesforce. Ask your Salesforce administrator, or log in with another user.',
  ),
  ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED: refused,
  ERR_SALESFORCE_USER_NOT_ALLOWED: refused,
  ERR_SALESFORCE_LOGIN_LOOP: permanent(
    'home',
    'The login was not kept',
    'You logged in a moment ago, but this site could not keep the login. Allow cookies for this site. If cookies are allowed already, tell the people who run this application.',
  ),
  ERR_SALESFORCE_CREDENTIALS_MISSING: permanent(
    'try-again',
    'Username and password are missing',
    'Please enter your username and your password.',
  ),
  ERR_SALESFORCE_CREDENTIALS_REJECTED: permanent(
    'try-again',
    'You are not logged in',
    'Salesforce did not accept the username and password. Please check them and try again.',
  ),
  ERR_SALESFORCE_CROSS_SITE: permanent(
    'home',
    'Another site asked for this',
    'Another site asked for your login or logout, so nothing was done. To log in or out, do so here.',
  ),

  ERR_SALESFORCE_APP_NOT_INSTALLED: organization,
  ERR_SALESFORCE_APP_NOT_APPROVED: organization,
  ERR_SALESFORCE_APP_BLOCKED: organization,
  ERR_SALESFORCE_APPROVAL_FAILED: organization,
  ERR_SALESFORCE_APP_MISCONFIGURED: setup,
  ERR_SALESFORCE_CLIENT_UNKNOWN: setup,
  ERR_SALESFORCE_CLIENT_REJECTED: setup,
  ERR_SALESFORCE_CLIENT_KEY: busy,
  ERR_SALESFORCE_RUN_AS_USER_MISSING: setup,
  ERR_SALESFORCE_MY_DOMAIN_NEEDED: setup,
  ERR_SALESFORCE_AUDIENCE_INVALID: setup,
  ERR_SALESFORCE_REDIRECT_URI_MISMATCH: setup,
  ERR_SALESFORCE_PKCE_REQUIRED: setup,
  ERR_SALESFORCE_DPOP_REQUIRED: setup,
  ERR_SALESFORCE_FLOW_DISABLED: setup,
  ERR_SALESFORCE_SCOPE_INVALID: setup,
  ERR_SALESFORCE_IP_RESTRICTED: setup,
  ERR_SALESFORCE_OAUTH: setup,
  ERR_SALESFORCE_RATE_LIMITED: transient(
    'Too many requests',
    'Salesforce is getting too many requests. Please wait a few minutes and try again.',
  ),
  ERR_SALESFORCE_UPSTREAM: unavailable,
  ERR_SALESFORCE_TIMEOUT: unavailable,
  ERR_SALESFORCE_UNREACHABLE: unavailable,
  ERR_SALESFORCE_HOST_GONE: unavailable,
  ERR_SALESFORCE_CONNECTION_LOST: unavailable,
  ERR_SALESFORCE_REPLY_INVALID: unreadable,

  ERR_SALESFORCE_HOST_NOT_TRUSTED: distrusted,
  ERR_SALESFORCE_SIGNATURE_INVALID: distrusted,
  ERR_SALESFORCE_IDENTITY_UNPROVEN: setup,
  ERR_SALESFORCE_IDENTITY_CHANGED: distrusted,
  ERR_SALESFORCE_ID_TOKEN_INVALID: distrusted,
  ERR_SALESFORCE_PROFILE: setup,

  ERR_SALESFORCE_NOT_AUTHENTICATED: permanent('log-in', 'Please log in', 'Log in with Salesforce first.'),
  ERR_SALESFORCE_REAUTHENTICATION_REQUIRED: loginOver,
  ERR_SALESFORCE_CLIENT_CHANGED: loginOver,
  ERR_SALESFORCE_REFRESH_DELAYED: busy,
  ERR_SALESFORCE_REFRESH_IN_DOUBT: busy,
  ERR_SALESFORCE_REFUSAL_UNKNOWN: busy,
  ERR_SALESFORCE_TOKEN_STORE: busy,
  ERR_SALESFORCE_GRANT_UNREADABLE: permanent('log-in', setup.title, setup.userMessage),
  ERR_SALESFORCE_SESSION_STORE: busy,
  ERR_SALESFORCE_CLOSED: busy,
  ERR_SALESFORCE_NOT_LOADED: busy,

  ERR_SALESFORCE_FOREIGN_ORIGIN: misused,
  ERR_SALESFORCE_INSUFFICIENT_SCOPE: permanent(
    'log-in',
    'This page needs more access',
    'This page needs more access to Salesforce than your login gives. If a new login does not help, tell the people who run this application.',
  ),
  ERR_SALESFORCE_WRONG_ORGANIZATION: refused,
  ERR_SALESFORCE_OPAQUE_TOKEN_NEEDED: setup,
  ERR_SALESFORCE_JWT_TOKEN_NEEDED: setup,
  ERR_SALESFORCE_USER_INTERFACE_DENIED: refused,
  ERR_SALESFORCE_API_TOKEN_REFUSED: misused,
  ERR_SALESFORCE_API_LIMIT: transient(
    'The limit of your organization is reached',
    'Your Salesforce organization has used up its requests for now. Please try again later.',
  ),
  ERR_SALESFORCE_API_DISABLED: organization,
  ERR_SALESFORCE_PASSWORD_EXPIRED: permanent(
    'try-again',
    'Your Salesforce password has expired',
    'Log in at Salesforce itself, choose a new password there, and then try again.',
  ),
  ERR_SALESFORCE_API: misused,
};

/** Whether an operator or administrator must change a setting first. The code comes from a store, so it may be unknown. */
export function needsSetUp(code: string | undefined): code is SalesforceRuntimeErrorCode {
  const message = (userMessages as Readonly<Record<string, UserMessage | undefined>>)[code ?? ''];
  return message === setup || message === organization;
}
