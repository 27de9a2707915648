import type { Clock } from '../clock';
import { ageOf, isOf, type GrantCache, type GrantView } from './cache';
import type { GrantKey } from './grant';
import type { RefreshSettings } from './settings';

interface KnownGrantsDeps {
  cache: GrantCache;
  clock: Clock;
  settings: RefreshSettings;
}

/** What this process can say of a grant without asking the store. */
export class KnownGrants {
  readonly #cache: GrantCache;
  readonly #clock: Clock;
  readonly #settings: RefreshSettings;

  constructor({ cache, clock, settings }: KnownGrantsDeps) {
    this.#cache = cache;
    this.#clock = clock;
    this.#settings = settings;
  }

  /** What was last seen of the login that is asked for, or of any login if none is named. */
  of(key: GrantKey): GrantView | undefined {
    const view = this.#cache.get(key.grantId);
    return view && isOf(view, key) ? view : undefined;
  }

  /** A view whose token can be handed out at this moment. */
  good(key: GrantKey): GrantView | undefined {
    const view = this.of(key);
    if (!view || view.isRefused) return undefined;
    const now = this.#clock.monotonic();
    const ageMs = ageOf(view, this.#clock, now);
    // While the store does not answer, the token is served for as long as it works.
    if (now < view.aloneUntil && ageMs < view.overInMs) return view;
    if (now >= view.turnAt && (ageMs >= view.hardInMs || (ageMs >= view.softInMs && now >= view.quietUntil)))
      return undefined;
    return ageMs < this.#settings.cacheMs && !view.isOutdated ? view : undefined;
  }

  /**
   * A view whose token has ended, is presumed to have, or was refused. A jump of the wall clock ends no token before the store was
   * asked, so the monotonic clock counts.
   */
  over(key: GrantKey, refused: string | undefined): GrantView | undefined {
    const view = this.of(key);
    if (!view) return undefined;
    const isRefused = view.isRefused || view.tokens.accessToken === refused;
    return isRefused || this.#clock.monotonic() - view.readAt.monotonic >= view.hardInMs ? view : undefined;
  }

  /** A view that the store has given since a time on the monotonic clock. */
  since(key: GrantKey, time: number): GrantView | undefined {
    const view = this.of(key);
    return view && view.readAt.monotonic >= time ? view : undefined;
  }

  /** The store is not asked again for `cacheMs`, as after an answer, so that not every request waits for it. */
  leaveStoreAlone(view: GrantView): void {
    view.aloneUntil = this.#clock.monotonic() + this.#settings.cacheMs;
  }
}
