import { entry, type SalesforceError } from './entry';

/** Errors of the identity URL and of userinfo. */
export const profileErrors: readonly SalesforceError[] = [
  entry('Bad_OAuth_Token', ['profile'], 'profile', 'client code'),
  entry('Missing_OAuth_Token', ['profile'], 'profile', 'unconfirmed'),
  entry('Inactive', ['profile'], 'userInactive', 'unconfirmed'),
  ...['HTTPS_Required', 'Wrong_Org', 'Bad_Id', 'No_Access', 'No_Site_Endpoint', 'Invalid_Callback'].map((error) =>
    entry(error, ['profile'], 'profile', 'unconfirmed'),
  ),
];

/** Errors of the REST API. */
export const apiErrors: readonly SalesforceError[] = [
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
