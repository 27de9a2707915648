import createDebug from 'debug';

/**
 * Loggers under `DEBUG=express-salesforce-auth:*`.
 *
 * They are given error codes, hosts, paths (which hold organization and user ids), statuses and grant ids; never a token, a
 * code, a verifier, a secret or a reply.
 */
export const debugLogin: createDebug.Debugger = createDebug('express-salesforce-auth:login');
export const debugRefresh: createDebug.Debugger = createDebug('express-salesforce-auth:refresh');
export const debugRevoke: createDebug.Debugger = createDebug('express-salesforce-auth:revoke');
export const debugEvents: createDebug.Debugger = createDebug('express-salesforce-auth:events');
export const debugHttp: createDebug.Debugger = createDebug('express-salesforce-auth:http');
