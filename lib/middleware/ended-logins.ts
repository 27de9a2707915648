import { BoundedMap } from '../bounded-map';

/** Most holders that a process remembers. At the bound the oldest is forgotten; a guard finds out again that it has ended. */
const maxHolders = 10_000;

/**
 * Logins that have been logged out, or that a guard has found to have ended, by holder. They no longer count in this process, even
 * if a session names them: a request that came before the logout must neither hold the grant again nor write the login back.
 *
 * A session that lives in its cookie is not rewritten for that. The answer could arrive after that of a login in another
 * request, and would take the new login away.
 */
export class EndedLogins {
  readonly #holders = new BoundedMap<string, true>(maxHolders);
  readonly #replaced = new BoundedMap<string, true>(maxHolders);

  note(holder: string): void {
    this.#holders.set(holder, true);
  }

  has(holder: string): boolean {
    return this.#holders.has(holder);
  }

  /** Notes a login that another login of its session has replaced. Requests that came before go on with it. */
  noteReplaced(holder: string): void {
    this.#replaced.set(holder, true);
  }

  /** Whether nothing may hold the grant by this name any more: its end may still be under way. */
  isOver(holder: string): boolean {
    return this.has(holder) || this.#replaced.has(holder);
  }
}
