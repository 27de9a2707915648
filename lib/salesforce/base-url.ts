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

/** The login host for users of production and Developer Edition organizations. */
export const defaultBaseUrl = 'https://login.salesforce.com';

/**
 * Hosts of the user interface and of Setup, which have no OAuth endpoints, with the suffix of My Domain in the same cloud.
 */
const interfaceHosts: readonly (readonly [suffix: string, myDomain: string])[] = [
  ['.lightning.force.com', '.my.salesforce.com'],
  ['.my.salesforce-setup.com', '.my.salesforce.com'],
  ['.lightning.crmforce.mil', '.my.salesforce.mil'],
  ['.lightning.sfcrmapps.cn', '.my.sfcrmproducts.cn'],
];

/** The path of an OAuth endpoint, which does not belong to a base URL. */
const endpointPath = /\/services(?:\/oauth2(?:\/.*)?)?$/;

/**
 * Checks a base URL of an operator: a login host, a sandbox, a My Domain, or an Experience Cloud site with its path.
 *
 * @param allowedHosts more hosts, exact (`support.example.com`) or as a suffix (`.example.com`)
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
      `${option} must use https: the client secret is sent there. Plain http is accepted for localhost only.`,
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
  // A login host or My Domain has no path. The path of an Experience Cloud site ends before the path of the endpoints.
  const expectedPath = isIdentityHost(url.hostname) ? '' : path.replace(endpointPath, '');
  if (path !== expectedPath) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} has the path of a page or an endpoint; this package adds the endpoints itself. Did you mean ` +
        `${url.origin}${expectedPath}?`,
    );
  }
  return url.origin + path;
}

/**
 * Checks a base URL that a request names. The host receives the client secret, so only a trusted host is accepted. Of
 * Salesforce's own hosts, only login hosts and My Domains are accepted, without a path.
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

/** Whether a checked base URL can be an Experience Cloud site. A login host or a My Domain cannot. */
export function isExperienceCloudSite(baseUrl: string): boolean {
  return !isIdentityHost(new URL(baseUrl).hostname);
}

/**
 * Refuses a base URL that is the application's own address. The application would receive its own client secret, and the
 * login would never end.
 *
 * @param own addresses of the application that the options name
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
    // A callback at Salesforce itself, such as the echo endpoint, is not an address of the application.
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
    `${option} names ${url.host}, which is not a known Salesforce host and would receive the client secret. ` +
      `Only if Salesforce serves your Experience Cloud site there, add '${url.host}' to the allowedHosts option. Never add the ` +
      'address of your own application.',
  );
}
