import { wait } from '../clock';
import { requiresLogin } from '../errors';
import type { TokenCoordinator } from './coordinator';
import type { GrantKey } from './grant';
import type { GivenParts } from './parts';

/** Pauses between tries to prove a grant, in milliseconds. Later a refresh that is due proves it, in whatever process. */
const pausesMs = [0, 5_000, 30_000, 120_000] as const;

/**
 * Proves that a stored grant may stay, by refreshing it, while the record also has the tokens of a poorer login. No browser waits
 * for the proof. If the refresh succeeds, the attempt revokes the poorer tokens. If Salesforce refuses it, the attempt puts the
 * poorer tokens in its place. Until either is known, the record keeps both.
 */
export async function prove(grant: GrantKey, deps: Proving): Promise<void> {
  const { coordinator, clock, revocations } = deps;
  for (const pauseMs of pausesMs) {
    if (pauseMs > 0) await wait(clock, pauseMs, revocations.closing);
    if (revocations.closing.aborted) return;
    try {
      await coordinator.refresh(grant, 'login');
      // An attempt that had begun before does not know of the spare tokens, and leaves them.
      if ((await coordinator.access.read(grant.grantId))?.spare === undefined) return;
    } catch (error) {
      if (requiresLogin(error)) return;
    }
  }
}

interface Proving extends Pick<GivenParts, 'clock' | 'revocations'> {
  coordinator: TokenCoordinator;
}
