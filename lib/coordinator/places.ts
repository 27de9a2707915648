import type { Configuration } from '../options/configuration';
import { isTrustedHost } from '../salesforce/hosts';
import { isHostGone } from '../token/gone';
import type { TokenSet } from '../token/types';
import { answerOf } from './refresh/answer';
import type { Answer } from './refresh/verdict';

/**
 * Base URLs that accept the tokens of a grant: the host that issued them, the host that is configured for their tenant now, and
 * their instance. No token and no secret goes to a host that is not trusted.
 */
export function placesOf({ baseUrl, instanceUrl }: TokenSet, configuration: Configuration): string[] {
  const places = [baseUrl, configuration.baseUrl, instanceUrl];
  const isTrusted = (place: string): boolean => isTrustedHost(new URL(place), configuration.trustedHosts);
  return [...new Set(places)].filter(isTrusted);
}

const refusals: readonly Answer[] = ['known refusal', 'unknown refusal', 'client refused'];

/**
 * Asks at one place after the other as long as a host is gone. A host that is gone carries nothing out.
 *
 * Only the first place is known to know the tokens. At another place a refusal, or an answer that is not wanted, can mean that the
 * host does not know them: then the next place is asked.
 *
 * @param isWanted whether an answer of another place counts. Default: each counts
 * @returns the answer, and the place it came from
 * @throws the error of the first place if it is gone and no other place has an answer that counts; else the first other error
 */
export async function askAt<T>(
  places: readonly string[],
  ask: (place: string) => Promise<T>,
  isWanted: (answer: T) => boolean = () => true,
): Promise<{ answer: T; place: string }> {
  let gone: unknown;
  for (const place of places) {
    try {
      const answer = await ask(place);
      if (gone === undefined || isWanted(answer)) return { answer, place };
    } catch (error) {
      const isUnknownThere = gone !== undefined && refusals.includes(answerOf(error));
      if (!isHostGone(error) && !isUnknownThere) throw error;
      gone ??= error;
    }
  }
  throw gone as Error;
}
