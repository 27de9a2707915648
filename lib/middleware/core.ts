import type { Request } from 'express';
import { GrantCodec } from '../coordinator/codec';
import { TokenCoordinator } from '../coordinator/coordinator';
import { EventHub } from '../coordinator/events';
import type { GrantReference } from '../coordinator/grant';
import { Grants } from '../coordinator/grants';
import { Revocations } from '../coordinator/revocation';
import type { SalesforceAuthError } from '../errors';
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

  /**
   * Asks a configuration function for this request's client before a token is fetched or refreshed, which itself knows no
   * request. After a restart nothing else would tell.
   */
  async learnClient(req: Request, reference: GrantReference): Promise<void> {
    const { source } = this.options;
    if (source.fixed || this.coordinator.peek(reference)) return;
    // What is wrong with it is reported where the configuration is needed.
    await source.resolve({ req }).catch(() => undefined);
  }

  /**
   * Takes a login out of the session that is over for good: Salesforce or a logout elsewhere has ended its grant. A login
   * whose app is merely not configured stays, to go on once it is again.
   */
  forgetLogin(req: Request, error: SalesforceAuthError): void {
    const { sessionKey } = this.options;
    const entry = entryOf(req, sessionKey);
    if (!entry || error.code !== 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED') return;
    writeEntry(req, sessionKey, undefined);
    // In the background: nobody waits for it, and a hold that stays runs out by itself.
    this.grants.release(entry, false).catch(() => undefined);
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
