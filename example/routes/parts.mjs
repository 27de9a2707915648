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
 * @property {NonNullable<import('../app.mjs').Parts['expire']>} expire
 * @property {boolean} isAlone whether this process is the only one
 */

export {};
