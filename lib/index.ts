/** The public surface of `express-salesforce-auth`: what a program names. What is not here is not for use from outside. */
export { salesforceAuth, salesforceAuth as default, type SalesforceAuth } from './middleware/salesforce-auth';
export type { Handler } from './middleware/handler';
export { requireSalesforce, type RequireOptions } from './middleware/require';
export type { SalesforceAuthOptions } from './middleware/options';
export type { CredentialsLoginOptions } from './middleware/credentials-login';
export type { LoginOptions } from './middleware/login-route';
export type { SalesforceLogin } from './middleware/logins';
export type { ErrorPage } from './middleware/error-details';
export type { LogoutOptions } from './middleware/logout';
export type { SalesforceUser } from './middleware/user';
export type { AuthenticatedRequest, GuardedRequest, SalesforceRequest } from './middleware/request';
export type { AppOptions } from './app/app-options';
export type { AppAccess } from './middleware/app-access';
export type { AdoptedGrant, AdoptOptions } from './middleware/adoption';
export type { Status } from './middleware/status';
export type { GrantSummary, Tokens } from './middleware/tokens';
export type { GrantClient } from './client/grant-client';
export { salesforceApiError } from './client/api-error';

export type { PublicUrl } from './address';
export type { OperatorWarning } from './reporter';

export type { ClientKey } from './client-authentication/client-key';
export type { ClientOptions } from './options/configuration';
export type { FetchFunction } from './options/fetch-function';
export type { ConfigurationFunction, TenantFunction } from './options/source';
export type { RefreshOptions } from './options/refresh';
export { configurationFromEnv } from './options/environment';

export { diagnose } from './doctor/diagnose';
export type { Diagnosis, Finding } from './doctor/findings';

export { MemoryTokenStore } from './stores/memory';

export type { SalesforceEvent, SalesforceEventName, SalesforceEvents } from './coordinator/events';

export {
  isSalesforceAuthError,
  requiresLogin,
  SalesforceAuthError,
  SalesforceOptionError,
  type SalesforceErrorCode,
} from './errors';
