/** Hosts of Salesforce itself; no customer content is served there, so a token may go to any of them. */
const identitySuffixes = ['.salesforce.com', '.salesforce.mil', '.sfcrmproducts.cn'] as const;

/**
 * Hosts that serve sites of customers as well. An operator may configure one of them as base URL, but a request or a
 * token reply must not choose one: another customer could be behind it.
 */
const siteSuffixes = ['.my.site.com', '.force.com', '.salesforce-sites.com', '.my-salesforce.com'] as const;

/** Hosts a token may be sent to. */
export interface TrustedHosts {
  /** Exact hosts, with the port where it is not the scheme's own. */
  readonly hosts: ReadonlySet<string>;
  /** Suffixes beginning with a dot. */
  readonly suffixes: readonly string[];
  /** Ports trusted on this machine, under any of its names: that of an emulator configured as base URL. */
  readonly loopbackPorts: ReadonlySet<string>;
}

/** A URL, or undefined where the text is none. */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** True for `localhost`, `127.0.0.0/8` and `[::1]`. */
export function isLoopback(url: URL): boolean {
  return url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname);
}

/** The hosts that follow from a base URL, the `allowedHosts` option and further base URLs an operator wrote down. */
export function trustHosts(
  baseUrl: string,
  allowedHosts: readonly string[],
  others: readonly string[] = [],
): TrustedHosts {
  const configured = [baseUrl, ...others].map((text) => new URL(text));
  return {
    hosts: new Set([...configured.map((url) => url.host), ...allowedHosts.filter((host) => !host.startsWith('.'))]),
    suffixes: [...identitySuffixes, ...allowedHosts.filter((host) => host.startsWith('.'))],
    loopbackPorts: new Set(configured.filter(isLoopback).map(({ port }) => port)),
  };
}

/**
 * Whether a token or a client secret may be sent to this URL.
 *
 * Refuses anything but https (http on this machine excepted), user information, a port a suffix did not name, and the
 * trailing dot that makes `salesforce.com.` another name for the same host.
 */
export function isTrustedHost(url: URL, trusted: TrustedHosts): boolean {
  if (url.username || url.password || url.hostname.endsWith('.')) return false;
  if (isLoopback(url)) return trusted.loopbackPorts.has(url.port) || trusted.hosts.has(url.host);
  if (url.protocol !== 'https:') return false;
  return trusted.hosts.has(url.host) || (url.port === '' && endsWithOneOf(url.hostname, trusted.suffixes));
}

/** Whether this is a host of Salesforce's own logins, or a My Domain. */
export function isIdentityHost(hostname: string): boolean {
  return endsWithOneOf(hostname, identitySuffixes);
}

/** Login hosts and My Domains, of the commercial, the government and the China cloud. */
const loginHost = /^(?:login|test|[\w-]+(?:\.[\w-]+)*\.my)\.(?:salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)$/;

/** Whether users log in at this host of Salesforce's own: a login host or a My Domain. */
export function isLoginHost(hostname: string): boolean {
  return loginHost.test(hostname);
}

/** Whether an operator may configure this host as base URL without naming it in `allowedHosts`. */
export function isSalesforceHost(hostname: string): boolean {
  return isIdentityHost(hostname) || endsWithOneOf(hostname, siteSuffixes);
}

/** Labels as host names have them: URLs allow more, such as `*` or none between two dots. */
const hostnameShape = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

function endsWithOneOf(hostname: string, suffixes: readonly string[]): boolean {
  return hostnameShape.test(hostname) && suffixes.some((suffix) => hostname.endsWith(suffix));
}
