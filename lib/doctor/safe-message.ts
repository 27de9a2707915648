import { isSalesforceAuthError, systemCode } from '../errors';

/**
 * The message of an error of this package. For any other error only its name and system code, since its message may hold a
 * secret.
 */
export function safeMessage(error: unknown): string {
  if (isSalesforceAuthError(error)) return error.message;
  const code = systemCode(error) ?? sqlState(error);
  const name = error instanceof Error ? error.name : 'an error';
  return code === undefined ? name : `${name} (${code})`;
}

/** PostgreSQL's error codes, which may begin with a digit. */
function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
