// @ts-check

/**
 * Everything that the routes need.
 *
 * @typedef {object} Parts
 * @property {import('../settings.mjs').Settings} settings
 * @property {import('express-salesforce-auth').SalesforceAuth} salesforce
 * @property {import('../history.mjs').History} history
 * @property {(req: import('express').Request) => import('../pages/layout.mjs').Frame} frameOf
 * @property {import('express-salesforce-auth/emulator').Emulator | undefined} emulator
 * @property {Offline | undefined} offline URL and users of the emulator, which may run in another process
 * @property {(salesforce: Session) => Promise<void>} expire ends an access token before its time
 * @property {boolean} isAlone whether the application has only this process
 *
 * @typedef {{ accessToken: string, instanceUrl: string, user: import('express-salesforce-auth').SalesforceUser }} Session
 * @typedef {Pick<import('express-salesforce-auth/emulator').Emulator, 'url'> & { users: readonly Person[] }} Offline
 * @typedef {{ username: string, password: string }} Person
 */

export {};
