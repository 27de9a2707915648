import { apiErrors, profileErrors } from './api-errors';
import { entry, type SalesforceError, type SeenAt } from './entry';

const token: readonly SeenAt[] = ['code', 'refresh', 'app'];
const login: readonly SeenAt[] = ['callback', 'code', 'refresh', 'app'];
const authorize: readonly SeenAt[] = ['page', 'callback'];

/** Errors whose meaning depends on the text. The first entry that fits counts. */
const byText: readonly SalesforceError[] = [
  entry('invalid_grant', ['refresh'], 'busy', 'documented', {
    text: 'token request is already being processed',
    when: /already being processed/i,
  }),
  // Before Winter '25 Salesforce answered two refreshes at once with this text, although no code is involved.
  entry('invalid_grant', ['refresh'], 'busy', 'documented', {
    text: 'expired authorization code',
    when: /expired authorization code/i,
  }),
  entry('invalid_grant', token, 'ipRestricted', 'reported', {
    text: 'ip restricted',
    when: /ip restricted|login hours/i,
  }),
  // The Refresh Token IP Allowlist. The exact text is not documented.
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
  // Only a known refusal ends a grant. Among the reported texts, one is about IP ranges.
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

/** Errors of requests for app tokens. */
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
  // Salesforce's help has a hyphen in one example.
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

/** Errors of flows that this package does not use. If such an error arrives, the operator reads the error itself. */
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
  // In both cases the token is not valid any more, so the revocation has reached its goal (RFC 7009, section 2.2).
  entry('invalid_token', ['revoke'], 'ignored', 'documented', { text: 'invalid token' }),
  entry('unsupported_token_type', ['revoke'], 'ignored', 'documented', { text: 'token type not supported' }),
  entry('invalid_token', token, 'tokenEndpoint', 'client code'),
  entry('unsupported_token_type', token, 'tokenEndpoint', 'client code'),
];

/** All known errors of a login, a refresh, a revocation or an API call. */
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
