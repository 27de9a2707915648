import { SalesforceOptionError } from '../errors';
import {
  isIdentityHost,
  isLoginHost,
  isLoopback,
  isSalesforceHost,
  isTrustedHost,
  parseUrl,
  type TrustedHosts,
} from './hosts';

/** Where Salesforce logs in users of production and Developer Edition organizations. */
export const defaultBaseUrl = 'https://login.salesforce.com';

/** Hosts of the user interface and of Setup, and where My Domain is in the same cloud: they have no OAuth endpoints. */
const interfaceHosts: readonly (readonly [suffix: string, myDomain: string])[] = [
  ['.lightning.force.com', '.my.salesforce.com'],
  ['.my.salesforce-setup.com', '.my.salesforce.com'],
  ['.lightning.crmforce.mil', '.my.salesforce.mil'],
  ['.lightning.sfcrmapps.cn', '.my.sfcrmproducts.cn'],
];

/** An OAuth endpoint in place of the address before it. */
const endpointPath = /\/services(?:\/oauth2(?:\/.*)?)?$/;

/**
 * Checks a base URL an operator configured: a login host, a sandbox, My Domain, or an Experience Cloud site with its path.
 *
 * @param allowedHosts further hosts, exact (`support.example.com`) or as a suffix (`.example.com`)
 * @returns scheme, host and path without a trailing slash
 * @throws SalesforceOptionError `ERR_SALESFORCE_BASE_URL_*`
 */
export function parseBaseUrl(value: unknown, allowedHosts: readonly string[], option = 'baseUrl'): string {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} must be an absolute https URL without query or user name, for instance ${defaultBaseUrl} or ` +
        'https://MyDomain.my.salesforce.com.',
    );
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} must use https: the client secret is sent there. Plain http is accepted for localhost alone.`,
    );
  }
  const [suffix, myDomain] = interfaceHosts.find(([host]) => url.hostname.endsWith(host)) ?? [];
  if (suffix !== undefined) {
    const host = url.hostname.slice(0, -suffix.length) + String(myDomain);
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} names the user interface of Salesforce, which has no OAuth endpoints. Did you mean https://${host}?`,
    );
  }
  if (!isLoopback(url) && !isSalesforceHost(url.hostname) && !isAllowed(url, allowedHosts)) {
    throw notAllowed(option, url);
  }
  const path = url.pathname.replace(/\/+$/, '');
  // Logins at Salesforce's own hosts have no path; that of an Experience Cloud site ends before the endpoints.
  const meant = isIdentityHost(url.hostname) ? '' : path.replace(endpointPath, '');
  if (path !== meant) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} has the path of a page or an endpoint; this package adds the endpoints itself. Did you mean ` +
        `${url.origin}${meant}?`,
    );
  }
  return url.origin + path;
}

/**
 * Checks a base URL that a request chose: only a host that is trusted already, since it receives the client secret. Of
 * Salesforce's own hosts, only those that log users in, without a path.
 *
 * @throws SalesforceOptionError `ERR_SALESFORCE_BASE_URL_*`
 */
export function parseRequestedBaseUrl(value: unknown, trusted: TrustedHosts): string {
  const baseUrl = parseBaseUrl(value, [...trusted.hosts, ...trusted.suffixes]);
  const url = new URL(baseUrl);
  if (!isTrustedHost(url, trusted)) throw notAllowed('baseUrl', url);
  if (isIdentityHost(url.hostname) && !(isLoginHost(url.hostname) && url.pathname === '/')) {
    throw notAllowed('baseUrl', url);
  }
  return baseUrl;
}

/** Whether a checked base URL can be an Experience Cloud site: not a login host or My Domain, which have no such users. */
export function isExperienceCloudSite(baseUrl: string): boolean {
  return !isIdentityHost(new URL(baseUrl).hostname);
}

/**
 * Refuses a base URL that is the application's own address: it would receive the client secret of a login that never ends.
 *
 * @param own addresses of the application, as far as the options name them
 * @throws SalesforceOptionError `ERR_SALESFORCE_BASE_URL_NOT_ALLOWED`
 */
export function refuseOwnAddress(
  option: string,
  value: unknown,
  { own, allowedHosts }: { own: readonly unknown[]; allowedHosts: readonly string[] },
): void {
  const url = typeof value === 'string' ? parseUrl(value) : undefined;
  if (!url || isSalesforceHost(url.hostname) || isAllowed(url, allowedHosts)) return;
  const isOwn = own.some((address) => {
    const known = typeof address === 'string' ? parseUrl(address) : undefined;
    // Salesforce has callbacks of its own, such as the echo endpoint.
    return known?.host === url.host && !known.pathname.includes('/services/oauth2/');
  });
  if (!isOwn) return;
  throw new SalesforceOptionError(
    'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
    option,
    `${option} must be the address of Salesforce; ${url.host} is the address of your application. Leave ${option} out, or set ` +
      'it to your My Domain, such as https://MyDomain.my.salesforce.com.',
  );
}

function isAllowed(url: URL, allowedHosts: readonly string[]): boolean {
  return allowedHosts.some((host) =>
    host.startsWith('.') ? url.port === '' && url.hostname.endsWith(host) && url.hostname !== host : url.host === host,
  );
}

function notAllowed(option: string, url: URL): SalesforceOptionError {
  return new SalesforceOptionError(
    'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
    option,
    `${option} names ${url.host}, which is not known as a Salesforce host and would receive the client secret. ` +
      `Only if Salesforce serves your Experience Cloud site there, add '${url.host}' to the allowedHosts option. The address ` +
      'of your own application does not belong there.',
  );
}
