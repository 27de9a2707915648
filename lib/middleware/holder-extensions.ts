import type { Request } from 'express';
import { BoundedMap } from '../bounded-map';
import type { GrantHolder, Grants } from '../coordinator/grants';
import type { ParsedOptions } from './options';
import { entriesOf, stateOf } from './session';
import { holderMsOf, sessionMsOf } from './session-life';

/** Most holders that are remembered. */
const maxRemembered = 100_000;

/** Extends the time for which sessions hold their grants, while the sessions are used. */
export class HolderExtensions {
  readonly #options: ParsedOptions;
  readonly #grants: Grants;
  /** Holders whose extension failed, to be tried again. */
  readonly #notExtended = new BoundedMap<string, true>(maxRemembered);
  /**
   * When sessions are due again, by their first holder. The session does not say so: a slow answer that wrote it would bring it
   * back after a logout or another login, and give it a new end if its life is fixed. These times are of the monotonic clock: a wall
   * clock that is ahead for a moment would put the next extension off.
   */
  readonly #dueAt = new BoundedMap<string, number>(maxRemembered);

  constructor(options: ParsedOptions, grants: Grants) {
    this.#options = options;
    this.#grants = grants;
  }

  /** Extends a session's time as a holder when half of it is over. It does not do so on each request, and no request waits. */
  extend(req: Request): void {
    const { clock, session } = this.#options;
    const state = stateOf(req, session);
    const now = clock.now();
    if (!state || (now < state.extendAt && this.#notExtended.size === 0)) return;
    const entries = entriesOf(req, session);
    const [first] = entries;
    if (!first) return;
    const monotonic = clock.monotonic();
    const isDue = now >= state.extendAt && monotonic >= (this.#dueAt.get(first.holder) ?? monotonic);
    if (isDue) this.#dueAt.set(first.holder, monotonic + sessionMsOf(req) / 2);
    for (const entry of entries) {
      if (this.#notExtended.delete(entry.holder) || isDue) void this.hold(req, entry);
    }
  }

  /** Lets a session hold a grant for as long as the session lives. If the store fails, the next request of that session tries again. */
  async hold(req: Request, entry: GrantHolder): Promise<void> {
    const { ended } = this.#options.session;
    try {
      await this.#grants.addHolder(entry, holderMsOf(req));
      // A logout came in between: the store adds a holder that is not there.
      if (ended.has(entry.holder)) await this.#grants.removeHolder(entry);
    } catch {
      this.#notExtended.set(entry.holder, true);
    }
  }
}
