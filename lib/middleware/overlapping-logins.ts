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

/** A login that others can overlap with. */
interface Overlapping extends GrantHolder {
  at: number;
  /** How many logins hold the grant by it. */
  uses: number;
}

/** How a login holds its grant. */
export interface LoginHold {
  holder: string;
  /** Ends it for a login that fails after all. Says whether no other login holds the grant by it. */
  giveUp: () => boolean;
}

function holdOf(login: Overlapping): LoginHold {
  return {
    holder: login.holder,
    giveUp: () => {
      login.uses -= 1;
      return login.uses === 0;
    },
  };
}

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
  readonly #logins = new BoundedMap<string, Overlapping>(maxRemembered);

  constructor({ clock, session }: { clock: Clock; session: SessionPlace }) {
    this.#clock = clock;
    this.#place = session;
  }

  /** How a login that has just ended holds its grant: by itself, or with another login of the same user and browser. */
  holdOf(req: Request, { grantId, generation, holder }: GrantHolder): LoginHold {
    const now = this.#clock.monotonic();
    for (const name of loginsOf(req)) {
      const other = this.#logins.get(name);
      const isSame = other?.grantId === grantId && other.generation === generation && now - other.at <= overlapMs;
      if (!isSame || other.uses === 0 || this.#isSeen(req, other.holder)) continue;
      other.uses += 1;
      return holdOf(other);
    }
    const made: Overlapping = { grantId, generation, holder, at: now, uses: 1 };
    const own = loginOf(req);
    if (own !== undefined) this.#logins.set(own, made);
    return holdOf(made);
  }

  /** Whether the request came with the session of that login, or the login has ended: then it does not overlap. */
  #isSeen(req: Request, holder: string): boolean {
    return this.#place.ended.isOver(holder) || entriesOf(req, this.#place).some((entry) => entry.holder === holder);
  }
}
