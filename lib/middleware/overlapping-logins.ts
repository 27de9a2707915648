import type { Request } from 'express';
import { BoundedMap } from '../bounded-map';
import type { Clock } from '../clock';
import type { GrantHolder } from '../coordinator/grants';
import { loginOf, loginsOf } from '../login/transactions';
import { entriesOf, type SessionPlace } from './session';

/** Most logins that are remembered. */
const maxRemembered = 10_000;

/** How long a login can overlap with another one of its browser, in milliseconds: a callback asks Salesforce and two stores. */
const overlapMs = 2 * 60_000;

/**
 * Logins of one browser that end at the same moment, as of tabs that were opened together.
 *
 * Each callback makes a session, and the browser keeps the cookie of one. Nobody can log the others out. So all of them hold the grant
 * under one name, and the logout of the session that is left ends the hold. A browser is known by the cookies of its logins, which it
 * sends with each callback. This works in one process.
 */
export class OverlappingLogins {
  readonly #clock: Clock;
  readonly #place: SessionPlace;
  readonly #logins = new BoundedMap<string, GrantHolder & { at: number }>(maxRemembered);

  constructor({ clock, session }: { clock: Clock; session: SessionPlace }) {
    this.#clock = clock;
    this.#place = session;
  }

  /** The holder for a login that has just ended: its own, or that of another login of the same user and browser. */
  holderOf(req: Request, { grantId, generation, holder }: GrantHolder): string {
    const now = this.#clock.monotonic();
    for (const name of loginsOf(req)) {
      const other = this.#logins.get(name);
      const isSame = other?.grantId === grantId && other.generation === generation && now - other.at <= overlapMs;
      if (isSame && !this.#isSeen(req, other.holder)) return other.holder;
    }
    const own = loginOf(req);
    if (own !== undefined) this.#logins.set(own, { grantId, generation, holder, at: now });
    return holder;
  }

  /** Whether the request came with the session of that login, or the login has ended: then it does not overlap. */
  #isSeen(req: Request, holder: string): boolean {
    return this.#place.ended.isOver(holder) || entriesOf(req, this.#place).some((entry) => entry.holder === holder);
  }
}
