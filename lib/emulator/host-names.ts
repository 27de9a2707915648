import { invalid } from '../options/check';

/** Names that lead to the listener of an emulator. */
interface HostNames {
  /** Address to listen on. Undefined: both loopback addresses. */
  address: string | undefined;
  login: string;
  /** The same as `login` if only one name leads to the listener. */
  myDomain: string;
}

/** Addresses that stand for every address of the machine. */
const wildcards = ['0.0.0.0', '::'];

/**
 * The names of the login host and of the My Domain. Both must lead to the listener: nothing listens on `127.0.0.1` if the
 * given host is another address.
 *
 * @throws SalesforceOptionError if the My Domain must be separate, and the host has one name
 */
export function hostNames(host: string | undefined, instance: 'login-host' | 'my-domain' | undefined): HostNames {
  // As a host, `localhost` would mean only one of the two loopback addresses.
  const address = host === 'localhost' ? undefined : host;
  if (address === undefined || wildcards.includes(address)) {
    return { address, login: 'localhost', myDomain: '127.0.0.1' };
  }
  if (instance === 'my-domain') {
    const problem = `left out, or one of 'localhost', '0.0.0.0', '::' with instance: 'my-domain'`;
    throw invalid('host', `${problem}: at "${address}" the emulator has one name, and a My Domain needs another`);
  }
  return { address, login: address, myDomain: address };
}

/** A name or address as it stands in a URL. */
export function inURL(name: string): string {
  return name.includes(':') ? `[${name}]` : name;
}
