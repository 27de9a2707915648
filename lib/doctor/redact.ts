import { isSalesforceAuthError, systemCode } from '../errors';

/** An error in words that hold no secret: those of this package, and of any other its name and system code alone. */
export function tellLess(error: unknown): string {
  if (isSalesforceAuthError(error)) return error.message;
  const code = systemCode(error) ?? sqlState(error);
  const name = error instanceof Error ? error.name : 'an error';
  return code === undefined ? name : `${name} (${code})`;
}

/** PostgreSQL's error codes may begin with a digit. */
function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
