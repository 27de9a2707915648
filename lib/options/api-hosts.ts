import { isIdentityHost, isLoginHost, isLoopback, parseUrl } from '../salesforce/hosts';
import { invalid } from './check';

/**
 * Checks the option `apiHosts`: hosts of Salesforce that serve APIs beside the instances of organizations, or hosts of this
 * machine, for an emulator. No login host and no My Domain is taken: another organization could be behind it.
 *
 * @returns their origins
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID`
 */
export function parseApiHosts(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const origins = Array.isArray(value) ? value.map(originsOf) : [undefined];
  if (origins.every((each) => each !== undefined)) return Object.freeze(origins.flat());
  throw invalid(
    'apiHosts',
    "an array of API hosts of Salesforce without scheme or path, such as ['api.salesforce.com']; in the government cloud " +
      "'api.gov.salesforce.com', for an emulator 'localhost:4401'",
  );
}

function originsOf(host: unknown): string[] | undefined {
  if (typeof host !== 'string' || !/^[a-z0-9.:[\]-]+$/i.test(host)) return undefined;
  const url = parseUrl(`https://${host}`);
  if (!url) return undefined;
  if (isLoopback(url)) return [url.origin, `http://${host.toLowerCase()}`];
  const isApiHost = url.hostname.startsWith('api.') && isIdentityHost(url.hostname) && !isLoginHost(url.hostname);
  return isApiHost && url.port === '' ? [url.origin] : undefined;
}
