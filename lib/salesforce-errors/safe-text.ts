/**
 * A text from Salesforce, safe to show in a log: one line, bounded, and without anything long enough to be a secret.
 */
export function safeText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined;
  return value
    .replace(/[^\x20-\x7e]+/g, ' ')
    .replace(/[A-Za-z0-9+/=_.!~-]{30,}/g, '[redacted]')
    .slice(0, 200);
}
