import { atMost, holding, wait } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenCoordinator } from './coordinator';
import type { GivenParts } from './parts';

/** How often a logout looks whether another process's attempt has ended. */
const lookAgainMs = 100;

/** What happens at Salesforce with the tokens of grants that were logged out. */
export class GrantEnds {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;

  constructor(parts: GivenParts, coordinator: TokenCoordinator) {
    this.#parts = parts;
    this.#coordinator = coordinator;
  }

  /** Revokes the tokens of a record that is logged out, once no attempt presents them. */
  async revoke(grantId: string, generation: string, record: GrantRecord): Promise<void> {
    const { revocations, settings, codec } = this.#parts;
    const tokens = await codec.decode(record).catch(revocations.giveUp(grantId));
    // An attempt that finds the tombstone revokes what it obtained. The old tokens are revoked here.
    if (record.leaseInMs > 0) {
      await this.#coordinator.afterAttempt(grantId, settings.waitMs);
      await this.#attemptElsewhere(grantId, generation);
      if (tokens?.refreshToken !== undefined) await revocations.revokeValue(grantId, tokens, tokens.accessToken);
    }
    if (tokens) await revocations.revoke(grantId, tokens);
    const spare = await codec.decodeSpare(record).catch(revocations.giveUp(grantId));
    if (spare) await revocations.revoke(grantId, spare);
  }

  /**
   * Waits for such an end for as long as a request may wait. Beyond that, the end goes on in the background. A process that has
   * nothing else to do ends after the first try of the revocation.
   */
  async inTime(ending: Promise<void>): Promise<void> {
    const { clock, settings, revocations } = this.#parts;
    const held = holding(clock, ending);
    revocations.track(held);
    await atMost(clock, settings.waitMs, held);
  }

  /** Waits, within limits, until no other process presents the grant's refresh token. */
  async #attemptElsewhere(grantId: string, generation: string): Promise<void> {
    const { clock, settings, revocations } = this.#parts;
    const startedAt = clock.monotonic();
    // A process that ends does not wait, so that its tokens are revoked before its time is over.
    while (clock.monotonic() - startedAt < settings.waitMs && !revocations.closing.aborted) {
      const record = await this.#coordinator.access.read(grantId).catch(() => undefined);
      if (record?.generation !== generation || record.leaseInMs === 0) return;
      await wait(clock, Math.min(lookAgainMs, record.leaseInMs), revocations.closing);
    }
  }
}
