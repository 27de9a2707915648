import type { Exchange } from '../http/exchange';
import type { Provider } from '../provider';
import type { Grant } from '../state/grants';

/** A call of the REST API: the caller, and the path after the version. */
export interface DataCall {
  readonly provider: Provider;
  readonly exchange: Exchange;
  readonly grant: Grant;
  readonly organizationId: string;
  /** `/services/data/v68.0`. */
  readonly root: string;
  readonly segments: readonly string[];
}
