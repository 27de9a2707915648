/** The public surface of `express-salesforce-auth`. What is not here is not for use from outside. */
export { salesforceAuth, salesforceAuth as default, type SalesforceAuth } from './middleware/salesforce-auth';
export { requireSalesforce, type RequireOptions } from './middleware/require';
export type { SalesforceAuthOptions, StaticOptions, Routes } from './middleware/options';
export type { CredentialsLoginOptions } from './middleware/credentials-login';
export type { LoginOptions } from './middleware/login-route';
export type { Access, SalesforceLogin } from './middleware/logins';
export type { ErrorPage, ErrorPageDetails } from './middleware/error-page';
export type { LogoutOptions, SingleLogoutOptions } from './middleware/logout';
export type { SalesforceUser } from './middleware/user';
export type { AnonymousRequest, AuthenticatedRequest, GuardedRequest, SalesforceRequest } from './middleware/request';
export type { AppOptions } from './app/options';
export type { AppAccess } from './middleware/app-access';
export type { AdoptedGrant, AdoptOptions, SessionAdoption } from './middleware/adoption';
export type { LoginStatus, Status } from './middleware/status';
export type { GrantHealth } from './coordinator/health';
export type { KeyUse, ResealCounts } from './coordinator/reseal';
export type { GrantOwnerQuery, GrantSummary, Tokens } from './middleware/tokens';
export type { GrantClient } from './client/grant-client';
export type { ConnectionOptions, JsforceConnection } from './client/connection';
export { salesforceApiError } from './client/api-error';

export {
  SalesforceStrategy,
  type SalesforceVerifyFunction,
  type SalesforceVerifyFunctionWithRequest,
  type VerifyDone,
} from './strategy/strategy';
export type { AuthenticateOptions, SkipUserProfile, StrategyOnlyOptions, StrategyOptions } from './strategy/options';
export type { LoginRequestOptions } from './login/request';
export type { PublicUrl } from './address';
export type { OperatorWarning, Report } from './reporter';
export type { SalesforceProfile } from './login/profile';
export type { TokenEndpointReply } from './token/types';

export type { ClientKey, ClientKeyAlgorithm } from './client-authentication/client-key';
export type { ClientOptions, Display, FetchFunction, ProfileSource, Prompt } from './options/configuration';
export type { ConfigurationContext, ConfigurationFunction, TenantFunction } from './options/source';
export { configurationFromEnv } from './options/environment';

export { diagnose } from './doctor/diagnose';
export type { DiagnoseOptions, Diagnosis, Finding, FindingLevel } from './doctor/findings';

export { MemoryTokenStore, type MemoryTokenStoreOptions } from './stores/memory';
export type * from './stores/store';

export type { LostAnswerPolicy } from './coordinator/settings';
export type { KeepAliveOptions } from './options/keep-alive';
export type { RefreshOptions } from './options/refresh';
export type { Verdict } from './coordinator/refresh/verdict';
export type {
  RefreshCause,
  SalesforceEvent,
  SalesforceEventName,
  SalesforceEvents,
  ServedFrom,
  StoreOperation,
} from './coordinator/events';

export {
  isSalesforceAuthError,
  requiresLogin,
  SalesforceAuthError,
  SalesforceOptionError,
  type LoginOrigin,
  type SalesforceAuthErrorOptions,
  type SalesforceErrorCode,
  type SalesforceOptionErrorCode,
  type SalesforceRuntimeErrorCode,
} from './errors';
export type { CancelTimer, Clock } from './clock';
