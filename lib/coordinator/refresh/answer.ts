import { isSalesforceAuthError } from '../../errors';
import { isHostGone } from '../../token/gone';
import { TokenRequestError } from '../../token/token-error';
import type { Answer } from './verdict';

const answerOfDisposition: Readonly<Record<TokenRequestError['disposition'], Answer>> = {
  ended: 'known refusal',
  unknown: 'unknown refusal',
  refused: 'client refused',
  transient: 'not carried out',
  busy: 'in use',
  inDoubt: 'lost',
};

/** A part of this package is loaded before the request is sent that needs the part. */
const notSent: readonly string[] = ['ERR_SALESFORCE_UNREACHABLE', 'ERR_SALESFORCE_NOT_LOADED'];

/** What an error of a token request says of the refresh token; anything that is not certain counts as lost. */
export function answerOf(error: unknown): Answer {
  if (error instanceof TokenRequestError) return answerOfDisposition[error.disposition];
  if (isHostGone(error)) return 'host gone';
  return isSalesforceAuthError(error) && notSent.includes(error.code) ? 'not sent' : 'lost';
}

/** The pause Salesforce asked for, if it did. */
export function askedForSeconds(error: unknown): number | undefined {
  if (!(error instanceof TokenRequestError)) return undefined;
  const { upstreamStatus, askedForSeconds } = error;
  return upstreamStatus === 429 || upstreamStatus === 503 ? askedForSeconds : undefined;
}
