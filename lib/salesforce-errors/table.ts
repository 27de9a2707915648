import type { MeaningName } from './meanings';

/**
 * Where an error of Salesforce is seen.
 *
 * - `page`: on a page of Salesforce, which has not sent the browser back; the application hears nothing of it
 * - `callback`: in the query of the callback
 * - `code`, `refresh`: from the token endpoint, in a login and in a refresh
 * - `app`: from the token endpoint, to a request for an app token
 * - `revoke`: from the revocation endpoint
 * - `profile`: from the identity URL and userinfo
 * - `api`: from the REST API
 */
export type SeenAt = 'page' | 'callback' | 'code' | 'refresh' | 'app' | 'revoke' | 'profile' | 'api';

/**
 * How well it is known that Salesforce sends this, and means that by it.
 *
 * - `documented`: in Salesforce's documentation
 * - `client code`: in the code of Salesforce's own clients, which list the error; what it means is partly guessed
 * - `reported`: seen by others
 * - `unconfirmed`: from memory
 */
type Confidence = 'documented' | 'client code' | 'reported' | 'unconfirmed';

/** One error Salesforce is known to send. */
export interface SalesforceError {
  /** As Salesforce writes it: `error`, or the `errorCode` of an API. */
  readonly error: string;
  /** Salesforce's text beside it; an example where `when` says which texts count. */
  readonly text?: string | undefined;
  /** The texts this entry is about, where one error has several meanings. */
  readonly when?: RegExp | undefined;
  readonly at: readonly SeenAt[];
  /** What becomes of it; `ignored` where it is no error to us. */
  readonly meaning: MeaningName | 'ignored';
  readonly confidence: Confidence;
}

type Rest = Pick<SalesforceError, 'text' | 'when'>;

const token: readonly SeenAt[] = ['code', 'refresh', 'app'];
const login: readonly SeenAt[] = ['callback', 'code', 'refresh', 'app'];
const authorize: readonly SeenAt[] = ['page', 'callback'];

const entry = (
  error: string,
  at: readonly SeenAt[],
  meaning: SalesforceError['meaning'],
  confidence: Confidence,
  rest: Rest = {},
): SalesforceError => ({ error, at, meaning, confidence, ...rest });

/** Errors whose meaning depends on the text; the first entry that fits counts. */
const byText: readonly SalesforceError[] = [
  entry('invalid_grant', ['refresh'], 'busy', 'documented', {
    text: 'token request is already being processed',
    when: /already being processed/i,
  }),
  // Before Winter '25 Salesforce gave this text for two refreshes at once, in which no code takes part.
  entry('invalid_grant', ['refresh'], 'busy', 'documented', {
    text: 'expired authorization code',
    when: /expired authorization code/i,
  }),
  entry('invalid_grant', token, 'ipRestricted', 'reported', {
    text: 'ip restricted',
    when: /ip restricted|login hours/i,
  }),
  // The Refresh Token IP Allowlist. What it says is not documented; any text that names it is about the address.
  entry('invalid_grant', token, 'ipRestricted', 'unconfirmed', {
    text: 'ip address not in the allowlist',
    when: /allow-? ?list|ip address/i,
  }),
  entry('invalid_grant', ['callback'], 'loginRestricted', 'documented', {
    text: 'IP restricted or invalid login hours',
    when: /ip restricted|login hours/i,
  }),
  entry('invalid_grant', token, 'scopeInvalid', 'reported', {
    text: 'no valid scopes defined',
    when: /no valid scopes/i,
  }),
  entry('invalid_grant', login, 'userInactive', 'unconfirmed', {
    text: 'inactive user',
    when: /inactive (?:user|org)/i,
  }),
  entry('invalid_grant', ['refresh'], 'newLogin', 'documented', {
    text: 'expired access/refresh token',
    when: /expired access\/refresh token/i,
  }),
  entry('invalid_grant', ['code'], 'anotherLogin', 'reported', { text: 'expired authorization code' }),
  entry('invalid_grant', ['code'], 'anotherLogin', 'documented', { text: 'authentication failure' }),
  entry('invalid_grant', ['code'], 'anotherLogin', 'reported', { text: 'invalid code verifier' }),
  entry('invalid_grant', ['refresh'], 'newLogin', 'reported', {
    text: "user hasn't approved this consumer",
    when: /approved this consumer/i,
  }),
  // Only a known refusal ends a grant. One of the reported texts of this kind is about IP ranges.
  entry('invalid_grant', ['refresh'], 'unknownRefusal', 'reported', { text: 'authentication failure' }),
  entry('invalid_grant', ['callback'], 'loginFailed', 'documented', { text: 'invalid user credentials' }),
  entry('invalid_request', authorize, 'pkceRequired', 'reported', {
    text: 'missing required code challenge',
    when: /code challenge/i,
  }),
  entry('invalid_request', ['code'], 'anotherLogin', 'documented', {
    text: 'invalid code verifier',
    when: /code verifier/i,
  }),
  entry('invalid_request', authorize, 'authorization', 'documented', { text: 'Must use HTTP GET' }),
  entry('invalid_request', authorize, 'authorization', 'documented', { text: 'HTTPS required' }),
  entry('invalid_request', token, 'tokenEndpoint', 'client code'),
  entry('invalid_client', login, 'notInstalled', 'reported', {
    text: 'app must be installed into org',
    when: /must be installed/i,
  }),
  entry('invalid_client', login, 'wrongClient', 'reported', { text: 'invalid client credentials' }),
];

/** Of requests for app tokens. */
const appTokenErrors: readonly SalesforceError[] = [
  entry('invalid_grant', ['app'], 'runAsMissing', 'reported', {
    text: 'no client credentials user enabled',
    when: /client credentials user/i,
  }),
  entry('invalid_grant', ['app'], 'myDomainNeeded', 'reported', {
    text: 'request not supported on this domain',
    when: /not supported on this domain/i,
  }),
  entry('invalid_grant', ['app'], 'notPreauthorized', 'reported', {
    text: "user hasn't approved this consumer",
    when: /approved this consumer/i,
  }),
  entry('invalid_grant', ['app'], 'audience', 'reported', { text: 'audience is invalid', when: /audience/i }),
  entry('invalid_grant', ['app'], 'assertionRefused', 'reported', { text: 'invalid assertion', when: /assertion/i }),
];

const authorizationErrors: readonly SalesforceError[] = [
  entry('access_denied', ['callback'], 'accessDenied', 'documented', { text: 'end-user denied authorization' }),
  // Salesforce's help prints it with a hyphen in one example.
  entry('access-denied', ['callback'], 'accessDenied', 'documented', { text: 'end-user denied authorization' }),
  entry('immediate_unsuccessful', ['callback'], 'immediate', 'documented', { text: 'immediate unsuccessful' }),
  entry('unsupported_response_type', authorize, 'flowDisabled', 'documented', { text: 'response type not supported' }),
  entry('redirect_uri_missing', ['page', 'code'], 'redirectUri', 'documented', { text: 'redirect_uri not provided' }),
  entry('redirect_uri_mismatch', ['page', 'code'], 'redirectUri', 'documented', {
    text: 'redirect_uri must match configuration',
  }),
  entry('OAUTH_APP_ACCESS_DENIED', authorize, 'notApproved', 'reported', {
    text: 'user is not admin approved to access this app',
  }),
  entry('OAUTH_AUTHORIZATION_BLOCKED', authorize, 'notApproved', 'reported', { text: 'app restricted for user' }),
  entry('OAUTH_APP_BLOCKED', authorize, 'blocked', 'reported', { text: 'this app is blocked by admin' }),
  entry('OAUTH_EC_APP_NOT_FOUND', authorize, 'notInstalled', 'reported', {
    text: 'External client app is not installed in this org',
  }),
  entry('OAUTH_APPROVAL_ERROR_GENERIC', authorize, 'approvalFailed', 'reported', {
    text: 'An unexpected error has occured during authentication. Please try again.',
  }),
  entry('login_error', ['callback'], 'loginFailed', 'client code'),
  entry('invalid_otp', ['callback'], 'loginFailed', 'client code'),
  entry('otp_error', ['callback'], 'loginFailed', 'client code'),
  entry('invalid_session_level', ['callback'], 'loginRestricted', 'client code'),
];

const appErrors: readonly SalesforceError[] = [
  entry('invalid_client_id', ['page', ...token], 'clientUnknown', 'reported', { text: 'client identifier invalid' }),
  entry('invalid_basic_auth_header', token, 'wrongClient', 'client code'),
  entry('unauthorized_client', login, 'wrongClient', 'unconfirmed'),
  entry('invalid_scope', login, 'scopeInvalid', 'documented', { text: 'the requested scope is not allowed' }),
  entry('unsupported_grant_type', token, 'flowDisabled', 'reported', { text: 'grant type not supported' }),
  entry('oauth_flow_disabled', login, 'flowDisabled', 'client code'),
  entry('oauth_policy_not_found', login, 'appMisconfigured', 'client code'),
  entry('ecapp_policy_not_found', login, 'appMisconfigured', 'client code'),
  entry('invalid_distribution_state', login, 'appMisconfigured', 'client code'),
  entry('installation_error', login, 'notInstalled', 'client code'),
  entry('app_not_found', login, 'notInstalled', 'reported', {
    text: 'External client app is not installed in this org',
  }),
  entry('invalid_app_access', login, 'notApproved', 'reported', {
    text: 'user is not admin approved to access this app',
  }),
  entry('app_blocked', login, 'blocked', 'client code', { text: 'this app is blocked by admin' }),
  entry('fail_close_app_blocked', login, 'blocked', 'client code'),
  entry('inactive_user', login, 'userInactive', 'documented'),
  entry('inactive_org', login, 'userInactive', 'documented'),
  entry('invalid_dpop_proof', token, 'dpopRequired', 'documented'),
  entry('use_dpop_nonce', token, 'dpopRequired', 'documented'),
  entry('rate_limit_exceeded', login, 'limited', 'documented', { text: 'number of logins exceeded' }),
  entry('slow_down', token, 'limited', 'client code'),
  entry('service_unavailable', login, 'unavailable', 'client code'),
  entry('temporarily_unavailable', login, 'unavailable', 'unconfirmed'),
  entry('system_down', login, 'unavailable', 'client code'),
  entry('server_error', login, 'inDoubt', 'client code'),
  entry('unknown_error', login, 'inDoubt', 'client code'),
];

/** Errors of flows this package does not use. Should one come all the same, it is told as it is. */
const otherFlows: readonly SalesforceError[] = [
  'app_attest_failed',
  'app_attest_failed_retry',
  'authorization_pending',
  'bad_jti_claim',
  'exceeded_registration_limit',
  'failed_registration',
  'invalid_assertion_type',
  'invalid_expid',
  'registration_error',
  'unsupported_expid',
].flatMap((error) => [
  entry(error, ['callback'], 'authorization', 'client code'),
  entry(error, token, 'tokenEndpoint', 'client code'),
]);

const revocationErrors: readonly SalesforceError[] = [
  // Neither is a token Salesforce would still take, which is what a revocation is for (RFC 7009, section 2.2).
  entry('invalid_token', ['revoke'], 'ignored', 'documented', { text: 'invalid token' }),
  entry('unsupported_token_type', ['revoke'], 'ignored', 'documented', { text: 'token type not supported' }),
  entry('invalid_token', token, 'tokenEndpoint', 'client code'),
  entry('unsupported_token_type', token, 'tokenEndpoint', 'client code'),
];

const profileErrors: readonly SalesforceError[] = [
  entry('Bad_OAuth_Token', ['profile'], 'profile', 'client code'),
  entry('Missing_OAuth_Token', ['profile'], 'profile', 'unconfirmed'),
  entry('Inactive', ['profile'], 'userInactive', 'unconfirmed'),
  ...['HTTPS_Required', 'Wrong_Org', 'Bad_Id', 'No_Access', 'No_Site_Endpoint', 'Invalid_Callback'].map((error) =>
    entry(error, ['profile'], 'profile', 'unconfirmed'),
  ),
];

const apiErrors: readonly SalesforceError[] = [
  entry('INVALID_SESSION_ID', ['api'], 'apiNotAttached', 'client code', {
    text: 'Connected app is not attached to Agent',
    when: /not attached to agent/i,
  }),
  entry('INVALID_SESSION_ID', ['api'], 'apiScopeMissing', 'client code', {
    text: 'This session is not valid for use with the REST API',
    when: /not valid for use with the REST API/i,
  }),
  entry('INVALID_SESSION_ID', ['api'], 'apiTokenRefused', 'documented', { text: 'Session expired or invalid' }),
  entry('Bad_OAuth_Token', ['api'], 'apiTokenRefused', 'client code'),
  entry('Missing_OAuth_Token', ['api'], 'apiTokenRefused', 'reported'),
  entry('REQUEST_LIMIT_EXCEEDED', ['api'], 'apiLimit', 'documented', { text: 'TotalRequests Limit exceeded.' }),
  entry('UNABLE_TO_LOCK_ROW', ['api'], 'apiRecordLocked', 'reported', {
    text: 'unable to obtain exclusive access to this record',
  }),
  entry('INVALID_OPERATION_WITH_EXPIRED_PASSWORD', ['api'], 'passwordExpired', 'reported', {
    text: "The user's password has expired",
  }),
  entry('API_DISABLED_FOR_ORG', ['api'], 'apiDisabled', 'reported', {
    text: 'API is not enabled for this Organization',
  }),
  entry('API_CURRENTLY_DISABLED', ['api'], 'apiDisabled', 'reported', { text: 'API is disabled for this User' }),
  entry('SERVER_UNAVAILABLE', ['api'], 'unavailable', 'reported'),
];

/** Every error Salesforce is known to send to a login, a refresh, a revocation or a call of an API. */
export const salesforceErrors: readonly SalesforceError[] = [
  ...appTokenErrors,
  ...byText,
  ...authorizationErrors,
  ...appErrors,
  ...otherFlows,
  ...revocationErrors,
  ...profileErrors,
  ...apiErrors,
];
