import type { Clock } from '../clock';
import type { GrantAccess } from '../coordinator/grant-access';
import { loginLifeMs } from '../login/transactions';
import { ProcessClaims, type ClaimRecords } from '../login/claims';
import type { Reporter } from '../reporter';
import type { TokenStore } from '../stores/store';

/**
 * Where the claims of login callbacks are kept: in the token store, so that all processes see them. If the
 * store of the application keeps no claims, this process keeps them.
 */
export function claimRecordsOf(
  store: TokenStore,
  access: GrantAccess,
  { clock, reporter }: { clock: Clock; reporter: Reporter },
): ClaimRecords {
  const claiming = store as Partial<Claiming>;
  if (!isClaiming(claiming)) {
    reporter.warn(
      'STORE_CLAIMS',
      'The token store has no claimOnce() and resolveClaim(), so this process alone sees which logins have ended. With several ' +
        'processes, a callback that is opened twice can present its code twice.',
    );
    return new ProcessClaims(clock);
  }
  return {
    claimOnce: (key, owner, lifeMs) => access.call('claimOnce', () => claiming.claimOnce(key, owner, lifeMs)),
    settleClaim: async (key, owner, result) => {
      await access.call('resolveClaim', () => claiming.resolveClaim(key, owner, { result, keptMs: loginLifeMs }));
    },
  };
}

/** The methods of a store that keeps claims. */
type Claiming = Required<Pick<TokenStore, 'claimOnce' | 'resolveClaim'>>;

function isClaiming(store: Partial<Claiming>): store is Claiming {
  return typeof store.claimOnce === 'function' && typeof store.resolveClaim === 'function';
}
