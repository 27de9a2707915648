import { wait, type CancelTimer } from '../clock';
import { debugRefresh } from '../debug';
import { isSalesforceAuthError, requiresLogin } from '../errors';
import type { KeepAliveSettings } from '../options/keep-alive';
import type { IdleGrant } from '../stores/store';
import type { TokenCoordinator } from './coordinator';
import type { Grants } from './grants';
import type { GivenParts } from './settings';

/** Pause between two grants of a round, in milliseconds, give or take half: Salesforce is not to be hurried. */
const pauseMs = 1_000;

/** Failures in a row that end a round: what is wrong then is not the grant. */
const toleratedFailures = 3;

/** What a failure is that the next grant would meet as well, unless it is lucky. */
const general = [
  'ERR_SALESFORCE_REFRESH_DELAYED',
  'ERR_SALESFORCE_REFRESH_IN_DOUBT',
  'ERR_SALESFORCE_REFRESH_DELAYED',
  'ERR_SALESFORCE_TOKEN_STORE',
];

type Outcome = 'refreshed' | 'ended' | 'failed';

/** Where the grants are that are kept alive. */
interface KeptAlive {
  coordinator: TokenCoordinator;
  grants: Grants;
}

/**
 * Refreshes grants that nobody uses, one after the other, before Salesforce lets them end; and ends those that no session
 * has held for long. Processes share the work: the store gives each grant to one of them.
 */
export class KeepAlive {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;
  readonly #grants: Grants;
  readonly #settings: KeepAliveSettings;
  readonly #closing = new AbortController();
  #cancel: CancelTimer = () => undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: GivenParts, { coordinator, grants }: KeptAlive, settings: KeepAliveSettings) {
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#grants = grants;
    this.#settings = settings;
    // At a random moment of the interval, so that processes that start together do not look together.
    this.#schedule(Math.random());
  }

  /** Begins nothing more, and waits for what is under way: a refresh no longer than `waitMs`. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await this.#round;
  }

  #schedule(part: number): void {
    this.#cancel = this.#parts.clock.setTimer(this.#settings.everySeconds * 1000 * part, () => {
      this.#round = this.#sweep().then(() => {
        if (!this.#closing.signal.aborted) this.#schedule(0.9 + Math.random() * 0.2);
      });
    });
  }

  async #sweep(): Promise<void> {
    const { clock, events, store } = this.#parts;
    const { afterSeconds, everySeconds } = this.#settings;
    const startedAt = clock.monotonic();
    const query = { idleMs: afterSeconds * 1000, takenMs: everySeconds * 1000 };
    const counts: Record<Outcome, number> = { refreshed: 0, ended: 0, failed: 0 };
    let failuresInARow = 0;
    try {
      for await (const idle of this.#coordinator.access.each('takeIdle', () => store.takeIdle?.(query) ?? nothing())) {
        if (this.#closing.signal.aborted) break;
        const { outcome, isGeneral } = await this.#see(idle);
        counts[outcome] += 1;
        failuresInARow = isGeneral ? failuresInARow + 1 : 0;
        if (failuresInARow === toleratedFailures) break;
        await wait(clock, pauseMs * (0.5 + Math.random()), this.#closing.signal);
      }
    } catch {
      // The store did not answer, which `store.failed` has told; the next round begins anew.
    }
    events.emit('keepAlive.finished', { ...counts, durationMs: clock.monotonic() - startedAt });
  }

  async #see({ grantId, generation, unheldMs }: IdleGrant): Promise<{ outcome: Outcome; isGeneral: boolean }> {
    try {
      if (unheldMs >= this.#settings.abandonedAfterSeconds * 1000) {
        await this.#grants.abandon({ grantId, generation });
        return { outcome: 'ended', isGeneral: false };
      }
      await this.#coordinator.refresh({ grantId, generation }, 'sweep');
      return { outcome: 'refreshed', isGeneral: false };
    } catch (error) {
      if (requiresLogin(error)) return { outcome: 'ended', isGeneral: false };
      const code = isSalesforceAuthError(error) ? error.code : undefined;
      debugRefresh('%s not kept alive: %s', grantId, code);
      return { outcome: 'failed', isGeneral: general.includes(code ?? '') };
    }
  }
}

async function* nothing(): AsyncIterable<IdleGrant> {
  // A store that tells no idle grants is refused where options are read.
}
