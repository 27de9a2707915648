import type { Configuration } from '../options/configuration';
import type { GrantRecord, Settlement, TokenStore } from '../stores/store';
import type { TokenClient } from '../token/client';
import type { TokenSet } from '../token/types';
import type { RefreshCause } from './events';
import type { GrantAccess } from './grant-access';

/** One refresh's claim on a grant, with everything needed to present its refresh token. */
export interface Flight {
  grantId: string;
  cause: RefreshCause;
  /** Random name the claim was made under. */
  owner: string;
  /** The grant as it was claimed. */
  record: GrantRecord;
  tokens: TokenSet & { refreshToken: string };
  configuration: Configuration;
  client: TokenClient;
}

/** How a claim ends that brought no new tokens. */
export type FlightEnd = Pick<Settlement, 'state' | 'backoffMs' | 'failed'> & { errorCode?: string | undefined };

/** Gives a claim back to the store. False where it is this flight's no more. */
export function settle(flight: Flight, end: FlightEnd, store: TokenStore, access: GrantAccess): Promise<boolean> {
  const { grantId, owner, record } = flight;
  const { generation, version } = record;
  return access.call('settle', () =>
    store.settle(grantId, { generation, version, owner, errorCode: undefined, ...end }),
  );
}
