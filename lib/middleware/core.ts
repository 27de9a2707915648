import type { Request } from 'express';
import { GrantCodec } from '../coordinator/codec';
import { TokenCoordinator } from '../coordinator/coordinator';
import { EventHub } from '../coordinator/events';
import { Grants } from '../coordinator/grants';
import { Revocations } from '../coordinator/revocation';
import type { ParsedOptions } from './options';
import { entryOf, referenceMsOf, renewSession, saveSession, writeEntry } from './session';

/** What the routes, guards and requests of one mounted middleware share. */
export class AuthCore {
  readonly options: ParsedOptions;
  readonly events: EventHub;
  readonly coordinator: TokenCoordinator;
  readonly grants: Grants;
  readonly revocations: Revocations;

  constructor(options: ParsedOptions) {
    this.options = options;
    this.events = new EventHub();
    const { store, source, clock, settings, grantKeys, grantIdKey } = options;
    this.revocations = new Revocations(source, clock, this.events);
    const parts = {
      store,
      source,
      clock,
      settings,
      events: this.events,
      revocations: this.revocations,
      codec: new GrantCodec(grantKeys),
    };
    this.coordinator = new TokenCoordinator(parts);
    this.grants = new Grants(parts, this.coordinator, grantIdKey);
  }

  /**
   * Logs a session out. The grant comes first: while the store does not answer, nothing is ended by halves.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`, `ERR_SALESFORCE_SESSION_STORE`
   */
  async logout(req: Request, everywhere: boolean): Promise<void> {
    const { sessionKey, keepSessionInfo } = this.options;
    const entry = entryOf(req, sessionKey);
    if (!entry) return;
    await this.grants.release(entry, everywhere);
    writeEntry(req, sessionKey, undefined);
    await renewSession(req, keepSessionInfo);
    await saveSession(req);
  }

  /** Extends the session's hold on its grant when half of it is over; not on every request, and nobody waits for it. */
  extendHold(req: Request): void {
    const { clock, sessionKey } = this.options;
    const entry = entryOf(req, sessionKey);
    if (!entry || clock.now() < entry.extendAt) return;
    const referenceMs = referenceMsOf(req);
    entry.extendAt = clock.now() + referenceMs / 2;
    this.grants.hold(entry, referenceMs).catch(() => {
      // Tried again by the next request.
      entry.extendAt = 0;
    });
  }

  /** Ends: finishes refreshes and revocations under way, and closes the store made here. */
  async close(): Promise<void> {
    await this.coordinator.close();
    await this.revocations.close();
    if (this.options.ownsStore) await this.options.store.close?.();
  }
}
