// @ts-check

/**
 * What the routes are made of.
 *
 * @typedef {object} Parts
 * @property {import('../settings.mjs').Settings} settings
 * @property {import('express-salesforce-auth').SalesforceAuth} salesforce
 * @property {import('../history.mjs').History} history
 * @property {(req: import('express').Request) => import('../pages/layout.mjs').Frame} frameOf
 * @property {import('express-salesforce-auth/emulator').Emulator | undefined} emulator
 * @property {Offline | undefined} offline what there is to know of it, in this process or in another one
 * @property {NonNullable<import('../app.mjs').Parts['expire']>} expire
 * @property {boolean} isAlone whether this process is the only one
 *
 * @typedef {Pick<import('express-salesforce-auth/emulator').Emulator, 'url'> & { users: readonly Person[] }} Offline
 * @typedef {{ username: string, password: string }} Person
 */

export {};
