import { meanings, type Meaning } from './meanings';
import { salesforceErrors, type SeenAt, type SalesforceError } from './table';

/** What Salesforce said, made safe before. */
export interface UpstreamError {
  error: string;
  errorDescription?: string | undefined;
  /** HTTP status of the answer, where there was one. */
  status?: number | undefined;
}

/** What an error that is not in the catalogue becomes. */
const others: Readonly<Record<SeenAt, Meaning>> = {
  page: meanings.authorization,
  callback: meanings.authorization,
  code: meanings.tokenEndpoint,
  refresh: meanings.tokenEndpoint,
  app: meanings.tokenEndpoint,
  revoke: meanings.unavailable,
  profile: meanings.profile,
  api: meanings.api,
};

const entries = new Map<string, SalesforceError[]>();
for (const entry of salesforceErrors) {
  for (const place of entry.at) {
    const key = `${place} ${entry.error}`;
    entries.set(key, [...(entries.get(key) ?? []), entry]);
  }
}

/** What becomes of an error of Salesforce at this place; `ignored` where it is none to us. */
export function classify(place: SeenAt, { error, errorDescription = '', status }: UpstreamError): Meaning | 'ignored' {
  // A status that speaks for itself: whatever else is said, the request was turned away at the door.
  if (status === 429) return meanings.limited;
  const found = entries.get(`${place} ${error}`)?.find(({ when }) => when?.test(errorDescription) ?? true);
  if (found) return found.meaning === 'ignored' ? 'ignored' : meanings[found.meaning];
  if (status === undefined || status < 500) return others[place];
  return place === 'api' ? meanings.unavailable : meanings.inDoubt;
}

/** Whether the catalogue has an error, with its text if several meanings depend on it. */
export function isKnown(place: SeenAt, { error, errorDescription = '' }: UpstreamError): boolean {
  return entries.get(`${place} ${error}`)?.some(({ when }) => when?.test(errorDescription) ?? true) ?? false;
}

/** An error as it is told to an operator: what Salesforce said, and what to do about it. */
export function operatorMessage({ error, errorDescription }: UpstreamError, { advice }: Meaning): string {
  return `Salesforce answered "${errorDescription === undefined ? error : `${error}: ${errorDescription}`}". ${advice}`;
}
