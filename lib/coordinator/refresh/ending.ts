import { isSalesforceAuthError, type SalesforceErrorCode } from '../../errors';
import type { Answer, Introspection } from './verdict';

/** What is known when an attempt ends without new tokens. */
export interface Ending {
  answer: Answer;
  introspection: Introspection;
  error?: unknown;
}

export function codeOf(error: unknown): SalesforceErrorCode | undefined {
  return isSalesforceAuthError(error) ? error.code : undefined;
}

/** Why only a login helps, for the operator. */
export function reasonOf({ answer, introspection }: Ending): string {
  if (answer === 'known refusal') return 'Salesforce no longer accepts the refresh token.';
  if (introspection === 'inactive') return 'Salesforce says that the refresh token is no longer good.';
  return "Salesforce's answer to a refresh was lost together with the new refresh token.";
}
