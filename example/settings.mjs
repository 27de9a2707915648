// @ts-check
import { salesforceAuth } from 'express-salesforce-auth';

/**
 * The operator's configuration service: which app in Salesforce to use, changeable while the application runs.
 *
 * It keeps the settings in memory. In an application of yours it would be a table or a secret store; what matters is that
 * the middleware asks it anew each time, by the `configuration` option.
 *
 * @typedef {import('express-salesforce-auth').ClientOptions} ClientOptions
 */
export class Settings {
  /** @type {ClientOptions} */
  #initial;
  /** @type {ClientOptions} */
  #current;

  /** @param {ClientOptions} initial what it starts with */
  constructor(initial) {
    check(initial);
    // The login page has a field for a My Domain.
    this.#initial = { anyMyDomain: true, ...initial };
    this.#current = this.#initial;
  }

  /** What is in force, secret included: for the middleware, not for a page. */
  get current() {
    return this.#current;
  }

  /** Whether somebody has changed what the application was started with. */
  get isChanged() {
    return this.#current !== this.#initial;
  }

  /**
   * Puts other settings into force, from the next login and refresh on.
   *
   * @param {Pick<ClientOptions, 'clientID' | 'clientSecret' | 'prompt' | 'baseUrl'>} changes
   * @throws {import('express-salesforce-auth').SalesforceOptionError} which names the wrong one; everything stays as it was
   */
  change({ clientID, clientSecret, prompt, baseUrl }) {
    const { scope, callbackURL } = this.#initial;
    const organizations = salesforceHosts;
    const changed = { scope, callbackURL, organizations, anyMyDomain: true, clientID, clientSecret, prompt, baseUrl };
    check(changed);
    this.#current = changed;
  }

  /** Goes back to what the application was started with. */
  reset() {
    this.#current = this.#initial;
  }
}

/** Where users of Salesforce may choose to log in: `/auth/salesforce?org=sandbox`. */
export const salesforceHosts = {
  production: 'https://login.salesforce.com',
  sandbox: 'https://test.salesforce.com',
};

/**
 * The package checks options when it is given them.
 *
 * @param {ClientOptions} options
 */
function check(options) {
  void salesforceAuth(options).close();
}
