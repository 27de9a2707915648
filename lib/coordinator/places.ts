import type { Configuration } from '../options/configuration';
import { SalesforceAuthError } from '../errors';
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

/** Whether Salesforce answered that it does not accept the token or the client. */
function isRefusal(error: unknown): boolean {
  const answer = answerOf(error);
  if (refusals.includes(answer)) return true;
  // This host knows the token.
  if (answer === 'in use') return false;
  const status = error instanceof SalesforceAuthError ? error.upstreamStatus : undefined;
  return status === 400 || status === 401 || status === 403;
}

/**
 * Asks at one place after the other as long as a host is gone. A host that is gone carries nothing out.
 *
 * Only the first place is known to know the tokens. At another place a refusal, or an answer that is not wanted, can mean that the
 * host does not know them: then the next place is asked.
 *
 * @param isWanted whether an answer of another place shows that it knows the tokens. Default: each does
 * @returns the answer, and the place it came from; an answer that is not wanted only if no place has another one
 * @throws the error of the first place if it is gone and the others refuse or are gone; else the first other error
 */
export async function askAt<T>(
  places: readonly string[],
  ask: (place: string) => Promise<T>,
  isWanted: (answer: T) => boolean = () => true,
): Promise<{ answer: T; place: string }> {
  let gone: unknown;
  let unwanted: { answer: T; place: string } | undefined;
  for (const place of places) {
    try {
      const answer = await ask(place);
      if (gone === undefined || isWanted(answer)) return { answer, place };
      unwanted ??= { answer, place };
    } catch (error) {
      const isUnknownThere = gone !== undefined && isRefusal(error);
      if (!isHostGone(error) && !isUnknownThere) throw error;
      gone ??= error;
    }
  }
  if (unwanted) return unwanted;
  throw gone as Error;
}
