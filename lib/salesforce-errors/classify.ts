import type { SalesforceError, SeenAt } from './entry';
import { meanings, type Meaning } from './meanings';
import { salesforceErrors } from './table';

/** An error of Salesforce, after {@link safeText}. */
export interface UpstreamError {
  error: string;
  errorDescription?: string | undefined;
  /** HTTP status of the answer, if there was an answer. */
  status?: number | undefined;
}

/** Meanings of errors that are not in the table. */
const unknownErrors: Readonly<Record<SeenAt, Meaning>> = {
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

/** The meaning of an error of Salesforce at this place. `ignored` means that this package does not treat it as an error. */
export function classify(place: SeenAt, { error, errorDescription = '', status }: UpstreamError): Meaning | 'ignored' {
  // Status 429 is enough: Salesforce refused the request before any work, whatever the error says.
  if (status === 429) return meanings.limited;
  const found = entries.get(`${place} ${error}`)?.find(({ when }) => when?.test(errorDescription) ?? true);
  if (found) return found.meaning === 'ignored' ? 'ignored' : meanings[found.meaning];
  if (status === undefined || status < 500) return unknownErrors[place];
  return place === 'api' ? meanings.unavailable : meanings.inDoubt;
}

/** Whether the table has an error. If the meaning depends on the text, the table must have the text too. */
export function isKnown(place: SeenAt, { error, errorDescription = '' }: UpstreamError): boolean {
  return entries.get(`${place} ${error}`)?.some(({ when }) => when?.test(errorDescription) ?? true) ?? false;
}

/** The message for the operator: what Salesforce answered, and what the operator can do. */
export function operatorMessage({ error, errorDescription }: UpstreamError, { advice }: Meaning): string {
  return `Salesforce answered "${errorDescription === undefined ? error : `${error}: ${errorDescription}`}". ${advice}`;
}
