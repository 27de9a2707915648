// @ts-check
import { salesforceAuth } from 'express-salesforce-auth';

/**
 * The operator's configuration service: which app in Salesforce to use, changeable while the application runs.
 *
 * It keeps the settings in memory. Your application would use a table or a secret store. The middleware asks for the settings
 * each time, with the `configuration` option.
 *
 * @typedef {import('express-salesforce-auth').ClientOptions} ClientOptions
 */
export class Settings {
  /** @type {ClientOptions} */
  #initial;
  /** @type {ClientOptions} */
  #current;

  /** @param {ClientOptions} initial settings at the start */
  constructor(initial) {
    check(initial);
    // The login page has a field for a My Domain.
    this.#initial = { ...initial, login: { anyMyDomain: true, ...initial.login } };
    this.#current = this.#initial;
  }

  /** The current settings with the secret, for the middleware. Do not show them on a page. */
  get current() {
    return this.#current;
  }

  /** Whether the settings differ from the settings at the start. */
  get isChanged() {
    return this.#current !== this.#initial;
  }

  /**
   * Changes the settings, from the next login and refresh on.
   *
   * @param {Pick<ClientOptions, 'clientID' | 'clientSecret' | 'prompt' | 'baseUrl'>} changes
   * @throws {import('express-salesforce-auth').SalesforceOptionError} if a setting is wrong; then no setting changes
   */
  change({ clientID, clientSecret, prompt, baseUrl }) {
    const { scope, callbackURL, login } = this.#initial;
    const organizations = salesforceHosts;
    const changed = { scope, callbackURL, organizations, login, clientID, clientSecret, prompt, baseUrl };
    check(changed);
    this.#current = changed;
  }

  /** Restores the settings of the start. */
  reset() {
    this.#current = this.#initial;
  }
}

/** Hosts that users can choose for a login: `/auth/salesforce?org=sandbox`. */
export const salesforceHosts = {
  production: 'https://login.salesforce.com',
  sandbox: 'https://test.salesforce.com',
};

/**
 * Lets the package check the options.
 *
 * @param {ClientOptions} options
 */
function check(options) {
  void salesforceAuth(options).close();
}
