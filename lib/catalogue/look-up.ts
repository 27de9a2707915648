import { outcomes, type Outcome } from './outcomes';
import { salesforceErrors, type Place, type SalesforceError } from './salesforce-errors';

/** What Salesforce said, made safe before. */
export interface Said {
  error: string;
  errorDescription?: string | undefined;
  /** HTTP status of the answer, where there was one. */
  status?: number | undefined;
}

/** What an error that is not in the catalogue becomes. */
const remainders: Readonly<Record<Place, Outcome>> = {
  page: outcomes.authorization,
  callback: outcomes.authorization,
  code: outcomes.tokenEndpoint,
  refresh: outcomes.tokenEndpoint,
  app: outcomes.tokenEndpoint,
  revoke: outcomes.unavailable,
  profile: outcomes.profile,
  api: outcomes.api,
};

const entries = new Map<string, SalesforceError[]>();
for (const entry of salesforceErrors) {
  for (const place of entry.at) {
    const key = `${place} ${entry.error}`;
    entries.set(key, [...(entries.get(key) ?? []), entry]);
  }
}

/** What becomes of an error of Salesforce at this place; `ignored` where it is none to us. */
export function outcomeOf(place: Place, { error, errorDescription = '', status }: Said): Outcome | 'ignored' {
  // A status that speaks for itself: whatever else is said, the request was turned away at the door.
  if (status === 429) return outcomes.limited;
  const found = entries.get(`${place} ${error}`)?.find(({ when }) => when?.test(errorDescription) ?? true);
  if (found) return found.outcome === 'ignored' ? 'ignored' : outcomes[found.outcome];
  if (status === undefined || status < 500) return remainders[place];
  return place === 'api' ? outcomes.unavailable : outcomes.inDoubt;
}

/** Whether the catalogue has an error, with its text if several meanings depend on it. */
export function isKnown(place: Place, { error, errorDescription = '' }: Said): boolean {
  return entries.get(`${place} ${error}`)?.some(({ when }) => when?.test(errorDescription) ?? true) ?? false;
}

/** An error as it is told to an operator: what Salesforce said, and what to do about it. */
export function tell({ error, errorDescription }: Said, { advice }: Outcome): string {
  return `Salesforce answered "${errorDescription === undefined ? error : `${error}: ${errorDescription}`}". ${advice}`;
}
