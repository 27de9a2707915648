import type { Configuration } from '../options/configuration';
import type { ClaimOutcome, GrantRecord, Settlement, TokenStore } from '../stores/store';
import type { TokenClient } from '../token/client';
import type { TokenSet } from '../token/types';
import type { RefreshCause } from './events';
import type { GrantAccess } from './grant-access';
import type { Lease } from './lease';

/** One refresh's claim on a grant, with everything needed to present its refresh token. */
export interface Flight {
  grantId: string;
  cause: RefreshCause;
  /** Random name the claim was made under. */
  owner: string;
  lease: Lease;
  /** The grant as it was claimed. */
  record: GrantRecord;
  tokens: TokenSet & { refreshToken: string };
  configuration: Configuration;
  client: TokenClient;
}

/** How a claim ends that brought no new tokens. */
export type FlightEnd = Pick<Settlement, 'state' | 'backoffMs' | 'failed'> & { errorCode?: string | undefined };

/** Gives a claim back to the store. False where it is this flight's no more. */
export function settle(
  flight: Pick<Flight, 'grantId' | 'owner' | 'record'>,
  end: FlightEnd,
  store: TokenStore,
  access: GrantAccess,
): Promise<boolean> {
  const { grantId, owner, record } = flight;
  const { generation, version } = record;
  return access.call('settle', () =>
    store.settle(grantId, { generation, version, owner, errorCode: undefined, ...end }),
  );
}

/** Gives back a claim that was answered when nobody waited for it any more: nothing was presented under it. */
export async function giveBack(claim: ClaimOutcome, owner: string, store: TokenStore): Promise<void> {
  if (claim.outcome !== 'claimed' && claim.outcome !== 'resolve') return;
  const { grantId, generation, version, errorCode } = claim.record;
  const state = claim.outcome === 'claimed' ? 'idle' : 'ambiguous';
  const end = { generation, version, owner, state, backoffMs: 0, errorCode, failed: false } as const;
  await store.settle(grantId, end);
}

export function isFresh(record: GrantRecord): boolean {
  return (record.softInMs ?? 1) > 0 && (record.hardInMs ?? 1) > 0;
}

export function hasRefreshToken(tokens: TokenSet): tokens is TokenSet & { refreshToken: string } {
  return tokens.refreshToken !== undefined;
}
