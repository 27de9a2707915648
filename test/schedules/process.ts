import type { CancelTimer, Clock } from '../../lib/clock';
import { AuthContext } from '../../lib/middleware/context';
import { parseOptions } from '../../lib/middleware/options';
import type { TokenStore } from '../../lib/stores/store';
import { ManualClock } from '../helpers/clock';
import { running } from './network';
import { callbackURL, origin } from './provider';
import { storeOf } from './store';
import type { World } from './world';

/** One process of the application: a memory, a clock and a connection to the store of its own. */
export class Process {
  readonly clock: ManualClock;
  readonly core: AuthContext;
  readonly store: TokenStore;
  isAlive = true;
  isPaused = false;
  pausedMs = 0;
  /** What it is about to ask of the store when it pauses. */
  pauseBefore: keyof TokenStore | undefined;
  #inbox: (() => void)[] = [];

  constructor(world: World) {
    this.clock = new ManualClock(world.wallMs);
    this.store = storeOf(world, this);
    const { clientID, clientSecret } = world.salesforce.client;
    this.core = new AuthContext(
      parseOptions({
        clientID,
        clientSecret: clientSecret || undefined,
        callbackURL,
        baseUrl: origin,
        store: this.store,
        clock: this.#ownClock(),
        ...world.options,
        // Days are not played here.
        refresh: { onLostAnswer: world.onLostAnswer, keepAlive: false, ...world.options.refresh },
      }),
    );
  }

  /** Lets something from outside arrive: never if the process is dead, later if it is paused. */
  deliver(arrive: () => void): void {
    if (!this.isAlive) return;
    if (this.isPaused) this.#inbox.push(arrive);
    else arrive();
  }

  /** Is about to ask the store for something; it may be paused on the way. */
  ask(operation: keyof TokenStore, send: () => void): void {
    if (!this.isAlive) return;
    if (this.pauseBefore !== operation) return send();
    this.pauseBefore = undefined;
    this.pause();
    this.deliver(send);
  }

  run<T>(work: () => T): T {
    return running.run(this, work);
  }

  pause(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    this.pausedMs = 0;
  }

  /** @param isNoticed whether the monotonic clock went on meanwhile: it does under SIGSTOP, and not in a suspended machine */
  resume(isNoticed: boolean): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (isNoticed) this.clock.wakeAfterMs(this.pausedMs);
    else this.clock.jumpMs(this.pausedMs);
    for (const arrive of this.#inbox.splice(0)) arrive();
  }

  /** The clock as the library sees it: what its timers do, this process does. */
  #ownClock(): Clock {
    return {
      now: () => this.clock.now(),
      monotonic: () => this.clock.monotonic(),
      setTimer: (delayMs, callback): CancelTimer => this.clock.setTimer(delayMs, () => this.run(callback)),
      hold: () => this.clock.hold(),
    };
  }
}
