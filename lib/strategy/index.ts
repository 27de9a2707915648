/** `express-salesforce-auth/strategy`: the Passport strategy alone, for applications that use Passport. */
export { SalesforceStrategy, type SalesforceVerifyFunction } from './strategy';
export type { AuthenticateOptions, StrategyOptions } from './options';
export type { SalesforceProfile } from '../login/profile';
export type { TokenEndpointReply } from '../token/types';
