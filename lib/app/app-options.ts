import { SalesforceOptionError } from '../errors';
import { appOptions } from '../options/parts/calls';
import { parsePart } from '../options/names';
import type { Configuration } from '../options/configuration';
import { parseRequestedBaseUrl } from '../salesforce/base-url';
import { isLoginHost } from '../salesforce/hosts';

/** The user as whom the application acts at Salesforce without a login. */
export interface AppOptions {
  /** Username to act as, by the JWT bearer flow. Default: the "Run As" user of the app, by the client credentials flow. */
  user?: string | undefined;
  /** Whose client it is, for an application with tenants. */
  tenant?: string | undefined;
  /** Where the token is asked for. The client credentials flow needs a My Domain. Default: `baseUrl` of the configuration. */
  baseUrl?: string | undefined;
  /**
   * `aud` of the JWT bearer flow. Default: the login host (production, or sandbox and scratch organization) of a My Domain; else the base URL, as for an
   * Experience Cloud site.
   */
  audience?: string | undefined;
}

/** {@link AppOptions} for one client, checked. */
export interface AppIdentity {
  readonly user: string | undefined;
  readonly baseUrl: string;
  readonly audience: string;
}

/** Checks what does not need a configuration. @throws SalesforceOptionError */
export function checkAppOptions(options: AppOptions): void {
  parsePart(appOptions, options, 'app()');
}

/** @throws SalesforceOptionError if the client has nothing to prove itself with, or the base URL is not trusted */
export function identityOf(options: AppOptions, configuration: Configuration): AppIdentity {
  const { user } = options;
  if (user !== undefined && configuration.clientKeys.length === 0) {
    throw missing(
      'clientKey',
      'app({ user }) signs with the private key of the client: set the option clientKey. See docs/guide/app-tokens.md.',
    );
  }
  if (configuration.clientAuthentication === 'none') {
    throw missing(
      'clientSecret',
      'app() needs a client that can prove itself: set clientSecret or clientKey. See docs/guide/app-tokens.md.',
    );
  }
  const baseUrl =
    options.baseUrl === undefined
      ? configuration.baseUrl
      : parseRequestedBaseUrl(options.baseUrl, configuration.trustedHosts);
  return { user, baseUrl, audience: options.audience ?? audienceOf(baseUrl) };
}

function missing(option: string, message: string): SalesforceOptionError {
  return new SalesforceOptionError('ERR_SALESFORCE_OPTION_INVALID', option, message);
}

/** Salesforce documents login hosts and sites as audiences, and no My Domain. */
function audienceOf(baseUrl: string): string {
  const { hostname } = new URL(baseUrl);
  if (!isLoginHost(hostname) || !hostname.endsWith('.salesforce.com') || /^(?:login|test)\./.test(hostname)) {
    return baseUrl;
  }
  return /--|\.(?:sandbox|scratch)\./.test(hostname) ? 'https://test.salesforce.com' : 'https://login.salesforce.com';
}
