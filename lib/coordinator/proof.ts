import { wait } from '../clock';
import { requiresLogin } from '../errors';
import type { TokenSet } from '../token/types';
import type { TokenCoordinator } from './coordinator';
import type { GrantKey } from './grant';
import type { GivenParts } from './settings';

/** Pauses between tries to prove a grant, in milliseconds. */
const pausesMs = [0, 5_000, 30_000, 120_000] as const;

/** What becomes of tokens that can do less than those of the grant they were obtained for. */
export interface Spare {
  tokens: TokenSet;
  /** Puts them in the place of tokens that are over. */
  replace: () => Promise<void>;
}

/**
 * Proves, while no browser waits, that a stored grant deserves to be kept instead of the tokens of a poorer login: it is
 * refreshed. If that succeeds, the poorer tokens are revoked. If Salesforce refuses it, they replace it: a login just done is
 * better than a belief. Until one of both is known, this process keeps both.
 */
export async function prove(grant: GrantKey, spare: Spare, deps: Proving): Promise<void> {
  const { coordinator, clock, revocations } = deps;
  for (const pauseMs of pausesMs) {
    if (pauseMs > 0) await wait(clock, pauseMs, revocations.closing);
    if (revocations.closing.aborted) break;
    try {
      await coordinator.refresh(grant, 'login');
      break;
    } catch (error) {
      if (!requiresLogin(error)) continue;
      // A grant that was logged out meanwhile is not brought back.
      const now = await coordinator.access.open(grant.grantId).catch(() => undefined);
      if (now?.record.state === 'ended' && now.record.generation === grant.generation) {
        await spare.replace().catch(() => undefined);
      }
      break;
    }
  }
  await coordinator.background.revokeUnlessKept(grant.grantId, spare.tokens);
}

interface Proving extends Pick<GivenParts, 'clock' | 'revocations'> {
  coordinator: TokenCoordinator;
}
