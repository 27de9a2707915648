import type { GrantAccess } from '../coordinator/grant-access';
import type { Clock } from '../clock';
import type { Reporter } from '../reporter';

/** So many logins within {@link windowMs} make this process look whether the store still has their grants. */
const suspicious = 20;

/** In milliseconds. */
const windowMs = 60_000;

/**
 * Tells the operator that a token store has lost its grants. Each user would read only that a login is needed, as after a logout,
 * and users who log out everywhere end many logins as well. So the store is asked before anything is told.
 */
export class LostGrants {
  readonly #access: GrantAccess;
  readonly #clock: Clock;
  readonly #reporter: Reporter;
  #count = 0;
  #since = -Infinity;

  constructor(access: GrantAccess, { clock, reporter }: { clock: Clock; reporter: Reporter }) {
    this.#access = access;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  /** Notes a session whose login has ended. Looks in the background. */
  note(grantId: string): void {
    const now = this.#clock.monotonic();
    if (now - this.#since > windowMs) {
      this.#since = now;
      this.#count = 0;
    }
    // One look for each so many.
    if (++this.#count % suspicious !== 0) return;
    this.#access.read(grantId).then(
      (record) => {
        if (!record) this.#reporter.warn('GRANTS_MISSING', missing);
      },
      () => undefined,
    );
  }
}

const missing =
  `At least ${suspicious} sessions within a minute had a login whose grant the token store does not have, so their users have to log in ` +
  'again. Either their grants were ended before (a logout everywhere, tokens.revoke(), refresh.keepAlive.abandonedAfterSeconds or ' +
  'retentionMs); or the store was emptied, evicts keys or lost its data in a restart; or this process uses another store, prefix or ' +
  'table than the process that logged them in. Run the doctor: npx express-salesforce-auth doctor.';
