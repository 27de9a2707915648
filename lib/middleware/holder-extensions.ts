import type { Request } from 'express';
import { longestSince, momentOf, type Moment } from '../clock';
import { BoundedMap } from '../bounded-map';
import type { GrantHolder, Grants } from '../coordinator/grants';
import type { ParsedOptions } from './options';
import { entriesOf, stateOf } from './session';
import { holderMsOf, sessionMsOf } from './session-life';
import { findSession } from './stored-session';

/** Most holders that are remembered. */
const maxRemembered = 100_000;

/** Extends the time for which sessions hold their grants, while the sessions are used. */
export class HolderExtensions {
  readonly #options: ParsedOptions;
  readonly #grants: Grants;
  /** Holders whose extension failed, to be tried again. */
  readonly #notExtended = new BoundedMap<string, true>(maxRemembered);
  /**
   * When sessions were extended last, by their first holder. The session does not say so: a slow answer that wrote it would bring it
   * back after a logout or another login, and give it a new end if its life is fixed. Both clocks count: the wall clock can be ahead
   * for a moment, and the monotonic clock stands still while a machine sleeps.
   */
  readonly #extendedAt = new BoundedMap<string, Moment>(maxRemembered);

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
    const last = this.#extendedAt.get(first.holder);
    const isDue = now >= state.extendAt && (!last || longestSince(last, clock) >= sessionMsOf(req) / 2);
    if (isDue) this.#extendedAt.set(first.holder, momentOf(clock));
    for (const entry of entries) {
      if (this.#notExtended.delete(entry.holder) || isDue) void this.#extend(req, entry);
    }
  }

  /** A login or logout in another request may have ended the session of a long request, such as that of a socket. */
  async #extend(req: Request, entry: GrantHolder): Promise<void> {
    if ((await findSession(req)) !== 'gone') await this.hold(req, entry);
  }

  /** Lets a session hold a grant for as long as the session lives. If the store fails, the next request of that session tries again. */
  async hold(req: Request, entry: GrantHolder): Promise<void> {
    const { ended } = this.#options.session;
    try {
      await this.#grants.addHolder(entry, holderMsOf(req));
      // A logout came in between: the store adds a holder that is not there.
      if (ended.isOver(entry.holder)) await this.#grants.removeHolder(entry);
    } catch {
      this.#notExtended.set(entry.holder, true);
    }
  }
}
