/**
 * Makes a text of Salesforce safe for a log: one line, at most 200 characters, no word that is long enough to be a secret.
 */
export function safeText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/[A-Za-z0-9+/=_.!~-]{30,}/g, '[redacted]')
    .slice(0, 200);
}
