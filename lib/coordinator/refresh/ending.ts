import { isSalesforceAuthError, type SalesforceErrorCode } from '../../errors';
import type { GrantRecord } from '../../stores/store';
import type { ClaimEnd } from '../background';
import { backoffMs, type RefreshSettings } from '../settings';
import { askedForSeconds } from './answer';
import type { Answer, Introspection, Row } from './verdict';

/** Pause between two looks at a grant in doubt, in milliseconds. */
export const lookAgainMs = 10_000;

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

/** A presentation without an answer, written down; the next look judges it by what is known then. */
export function doubt(pauseMs: number, errorCode: string | undefined): ClaimEnd {
  return { state: 'inDoubt', backoffMs: pauseMs, errorCode, failed: true };
}

/** How long the next attempt waits, in milliseconds. */
export function pauseOf(
  { grant, verdict }: Row,
  { answer, introspection, error }: Ending,
  { record, settings }: { record: GrantRecord; settings: RefreshSettings },
): number {
  if (grant === 'in doubt') return introspection === 'not asked yet' ? settings.drainMs : lookAgainMs;
  const isRefused = verdict === 'refused' || answer === 'unknown refusal';
  // A client or policy that is refused stays refused until a person changes it.
  const pauseMs = isRefused ? backoffMs(5) : backoffMs(record.failures, askedForSeconds(error));
  return answer === 'lost' ? Math.max(settings.drainMs, pauseMs) : pauseMs;
}
