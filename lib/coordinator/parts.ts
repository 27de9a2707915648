import type { Clock } from '../clock';
import type { ConfigurationSource } from '../options/source';
import type { TokenStore } from '../stores/store';
import type { GrantChanges } from './changes';
import type { GrantCodec } from './codec';
import type { EventHub } from './events';
import type { Revocations } from './revocation';
import type { RefreshSettings } from './settings';

/** What the parts of the coordinator share. */
export interface CoordinatorParts {
  store: TokenStore;
  codec: GrantCodec;
  source: ConfigurationSource;
  clock: Clock;
  events: EventHub;
  revocations: Revocations;
  settings: RefreshSettings;
  /** Tells the operator of an error, which may reach no request. */
  report: (error: unknown) => void;
  /** What other processes change. */
  changes: GrantChanges;
  /** Aborts when the application shuts down. */
  closing: AbortSignal;
}

/** The {@link CoordinatorParts} that the coordinator is given. It makes the others itself. */
export type GivenParts = Omit<CoordinatorParts, 'changes' | 'closing'>;
