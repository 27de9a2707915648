/** `express-salesforce-auth/stores`: the types that the author of a token store needs. */
export type * from './store';
export type { CancelTimer, Clock } from '../clock';
