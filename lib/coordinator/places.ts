import type { Configuration } from '../options/configuration';
import { isTrustedHost } from '../salesforce/hosts';
import { isHostGone } from '../token/gone';
import type { TokenSet } from '../token/types';

/**
 * Base URLs that accept the tokens of a grant: the host that issued them, the host that is configured for their tenant now, and
 * their instance. No token and no secret goes to a host that is not trusted.
 */
export function placesOf({ baseUrl, instanceUrl }: TokenSet, configuration: Configuration): string[] {
  const places = [baseUrl, configuration.baseUrl, instanceUrl];
  const isTrusted = (place: string): boolean => isTrustedHost(new URL(place), configuration.trustedHosts);
  return [...new Set(places)].filter(isTrusted);
}

/**
 * Asks at one place after the other as long as a host is gone. A host that is gone carries nothing out.
 *
 * @returns the answer, and the place it came from
 * @throws the error of the first place if all are gone, else of the first that is not
 */
export async function askAt<T>(
  places: readonly string[],
  ask: (place: string) => Promise<T>,
): Promise<{ answer: T; place: string }> {
  let gone: unknown;
  for (const place of places) {
    try {
      return { answer: await ask(place), place };
    } catch (error) {
      if (!isHostGone(error)) throw error;
      gone ??= error;
    }
  }
  throw gone as Error;
}
