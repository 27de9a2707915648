/** Hosts of Salesforce itself. They serve no content of customers, so a token may be sent to any of them. */
const identitySuffixes = ['.salesforce.com', '.salesforce.mil', '.sfcrmproducts.cn'] as const;

/**
 * Hosts that also serve sites of customers. An operator may set such a host as base URL. A request or a token reply must not
 * name such a host, because the host may belong to another customer.
 */
const siteSuffixes = ['.my.site.com', '.force.com', '.salesforce-sites.com', '.my-salesforce.com'] as const;

/** Hosts to which a token may be sent. */
export interface TrustedHosts {
  /** Exact hosts, with the port if the port is not the default of the scheme. */
  readonly hosts: ReadonlySet<string>;
  /** Suffixes of host names. Each begins with a dot. */
  readonly suffixes: readonly string[];
  /** Trusted ports of this machine, under every name of the machine. An emulator that is the base URL has such a port. */
  readonly loopbackPorts: ReadonlySet<string>;
}

/** The URL of a text, or undefined if the text is not a URL. */
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

/** The trusted hosts of a base URL, the `allowedHosts` option and further base URLs of the operator. */
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
 * Refuses every scheme but https (http is fine on this machine), user information, a port at a host that only a suffix
 * trusts, and the trailing dot of `salesforce.com.`, which is another name of the same host.
 */
export function isTrustedHost(url: URL, trusted: TrustedHosts): boolean {
  if (url.username || url.password || url.hostname.endsWith('.')) return false;
  if (isLoopback(url)) return trusted.loopbackPorts.has(url.port) || trusted.hosts.has(url.host);
  if (url.protocol !== 'https:') return false;
  return trusted.hosts.has(url.host) || (url.port === '' && endsWithOneOf(url.hostname, trusted.suffixes));
}

/** Whether this is a login host of Salesforce or a My Domain, by its suffix. */
export function isIdentityHost(hostname: string): boolean {
  return endsWithOneOf(hostname, identitySuffixes);
}

/** Login hosts and My Domains of the commercial, the government and the China cloud. */
const loginHost = /^(?:login|test|[\w-]+(?:\.[\w-]+)*\.my)\.(?:salesforce\.com|salesforce\.mil|sfcrmproducts\.cn)$/;

/** Whether users log in at this host: a login host or a My Domain, by its full name. */
export function isLoginHost(hostname: string): boolean {
  return loginHost.test(hostname);
}

/** Whether an operator may set this host as base URL without an entry in `allowedHosts`. */
export function isSalesforceHost(hostname: string): boolean {
  return isIdentityHost(hostname) || endsWithOneOf(hostname, siteSuffixes);
}

/** The shape of a host name. URLs allow more, such as `*`, or two dots in a row. */
const hostnameShape = /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)+$/;

function endsWithOneOf(hostname: string, suffixes: readonly string[]): boolean {
  return hostnameShape.test(hostname) && suffixes.some((suffix) => hostname.endsWith(suffix));
}
