import { grantSchema } from '../stores/stored-grant';
import type { GrantRecord } from '../stores/store';
import type { TokenLife } from './grant';

/** What a write of new tokens says of a grant. */
export interface WrittenTokens
  extends Pick<GrantRecord, 'grantId' | 'generation' | 'version' | 'payload' | 'labels'>, TokenLife {}

/** The record that a store has after it has taken new tokens. The process that wrote them need not read it. */
export function recordWith(written: WrittenTokens): GrantRecord {
  const { grantId, generation, version, payload, labels, softMs, hardMs } = written;
  return {
    schema: grantSchema,
    grantId,
    generation,
    version,
    state: 'idle',
    payload,
    labels,
    softInMs: softMs,
    hardInMs: hardMs,
    leaseInMs: 0,
    backoffInMs: 0,
    stateAgeMs: 0,
    failures: 0,
    errorCode: undefined,
    errorAgeMs: 0,
    tokensAgeMs: 0,
    refused: undefined,
    spare: undefined,
  };
}
