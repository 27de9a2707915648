import type { Request } from 'express';
import { errorFrom, isSalesforceAuthError } from '../errors';
import { setCookies } from '../login/cookies';
import { LoginMoves } from '../login/move';
import { withoutEnded } from '../login/transactions';
import type { Configuration } from '../options/configuration';
import { SalesforceStrategy } from '../strategy/strategy';
import { claimRecordsOf } from './login-claims';
import { LoginIntents } from './login-intent';
import { Holds } from './holds';
import { Adoptions } from '../coordinator/adoptions';
import { GrantCodec } from '../coordinator/codec';
import { TokenCoordinator } from '../coordinator/coordinator';
import { EventHub } from '../coordinator/events';
import { grantIdOfError } from '../coordinator/failures';
import { Grants } from '../coordinator/grants';
import { KeepAlive } from '../coordinator/keep-alive';
import { Revocations } from '../coordinator/revocation';
import { SalesforceAuthError } from '../errors';
import type { ParsedOptions } from './options';
import { meant } from './logins';
import { attached } from './request';
import { probeStore, type StoreProbe } from './store-probe';
import { mountPathOf } from './visit';
import {
  entriesOf,
  isSessionStillInStore,
  removeEntries,
  renewSession,
  saveSession,
  stateOf,
  stateWith,
  writeState,
} from './session';

/** Some logins of a session have ended, and the token store failed for the others. */
function partlyLoggedOut(ended: number, all: number, cause: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_TOKEN_STORE',
    `${ended} of ${all} logins have ended, and the session has forgotten them. The token store failed for the others, which ` +
      'go on: log out again.',
    { status: 503, cause, retryAfterSeconds: 5 },
  );
}

/** What to log out of. */
export interface LogoutRequest {
  /** The users' other sessions too. */
  everywhere?: boolean | undefined;
  /** Only the logins of this organization, or of this grant id. */
  organization?: string | undefined;
}

/** What the routes, guards and requests of one mounted middleware share. */
export class AuthContext {
  readonly options: ParsedOptions;
  readonly events: EventHub;
  readonly coordinator: TokenCoordinator;
  readonly grants: Grants;
  readonly adoptions: Adoptions;
  readonly revocations: Revocations;
  readonly codec: GrantCodec;
  /** The strategy that this middleware mounts. */
  readonly strategy: SalesforceStrategy;
  readonly intents: LoginIntents;
  readonly moves: LoginMoves;
  readonly holds: Holds;
  readonly #keepAlive: KeepAlive | undefined;
  readonly #probe: StoreProbe;
  readonly #reported = new WeakSet();

  constructor(options: ParsedOptions) {
    this.options = options;
    this.events = new EventHub();
    const { store, source, clock, settings, grantKeys, grantIdKey } = options;
    this.revocations = new Revocations(source, clock, this.events);
    this.codec = new GrantCodec(grantKeys, options.acceptUnencrypted);
    const parts = {
      store,
      source,
      clock,
      settings,
      events: this.events,
      revocations: this.revocations,
      codec: this.codec,
    };
    this.coordinator = new TokenCoordinator(parts);
    this.grants = new Grants(parts, this.coordinator, grantIdKey);
    this.holds = new Holds(options, this.grants);
    this.adoptions = new Adoptions(parts, this, grantIdKey);
    const { addresses, keys, reporter, tenant } = options;
    this.intents = new LoginIntents(options);
    this.moves = new LoginMoves(keys, clock);
    this.strategy = new SalesforceStrategy({
      ...{ source, addresses, keys, clock, tenant, waitMs: settings.waitMs },
      claims: claimRecordsOf(store, this.coordinator.access, { clock, reporter }),
      name: 'salesforce',
      passReqToCallback: false,
      skipUserProfile: false,
      receive: (login) => login,
      defaultCallback: (req) => this.callbackPathOf(req),
      onAbandoned: (tokens) => void this.grants.discard(tokens),
      warn: (code, message) => {
        reporter.warn(code, message);
      },
    });
    const { keepAlive } = options;
    this.#keepAlive = keepAlive && new KeepAlive(parts, this, keepAlive);
    store.reportTo?.((code, message) => reporter.warn(code, message));
    this.#probe = probeStore(options);
  }

  /** Where this middleware is mounted, for a request that has passed it. */
  mountPathOf(req: Request): string {
    return attached(req, this.options.property)?.mountPath ?? mountPathOf(req.baseUrl);
  }

  /** Path of the callback route below the application's root, as mounted; undefined without such a route. */
  callbackPathOf(req: Request): string | undefined {
    const { callback } = this.options.routes;
    return callback === false ? undefined : this.mountPathOf(req) + callback;
  }

  /** The configuration for a request. @throws as the configuration function does, as an error of this package */
  configurationOf(req: Request): Promise<Configuration> {
    return this.options.source.resolve({ req, tenant: this.options.tenant?.(req) });
  }

  /** Tells the operator of an error, once however many parts of this package pass it on; see {@link Reporter}. */
  report(error: unknown): void {
    if (!isSalesforceAuthError(error) || this.#reported.has(error)) return;
    this.#reported.add(error);
    this.options.reporter.warn(error.code, error.message);
  }

  /** Tells the operator that a login failed, whatever the application's own error handlers make of the error. */
  noteFailedLogin(error: unknown): void {
    const code = isSalesforceAuthError(error) ? error.code : undefined;
    this.events.emit('login.failed', { code, reason: errorFrom(error).message });
    this.report(error);
    if (code === undefined) this.noteApplicationError('A login', error);
  }

  /** Tells the operator that code of the application failed. What the error says is the application's own, and may be secret. */
  noteApplicationError(what: string, error: unknown): void {
    const { name } = errorFrom(error);
    this.options.reporter.warn(
      'APPLICATION_CODE',
      `${what} failed since code of the application threw ${name} (configuration, tenant, publicUrl, authorizeUser, onLogin or ` +
        'errorPage). The error itself went to the error handlers of Express.',
    );
  }

  /**
   * Logs a session out, of all its logins or of those meant. What has ended is recorded, even if the store failed for the rest.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`, `ERR_SALESFORCE_SESSION_STORE`
   */
  async logout(req: Request, { everywhere = false, organization }: LogoutRequest): Promise<void> {
    const { session, keepSessionInfo } = this.options;
    if (req.res?.headersSent === false) setCookies(req.res, withoutEnded(req));
    const entries = entriesOf(req, session);
    const leaving = organization === undefined ? entries : meant(entries, organization);
    if (leaving.length === 0) return;
    const outcomes = await Promise.allSettled(leaving.map((entry) => this.grants.logOut(entry, everywhere)));
    const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    const ended = leaving.filter((_entry, index) => outcomes[index]?.status === 'fulfilled');
    if (ended.length === 0) throw failures[0] as Error;
    removeEntries(req, session, ended);
    const [next] = entriesOf(req, session);
    // Somebody who leaves one of several organizations goes on in another, the latest.
    if (next) this.#makeCurrent(req, next.grantId);
    else await renewSession(req, keepSessionInfo);
    await saveSession(req);
    if (failures.length > 0) throw partlyLoggedOut(ended.length, leaving.length, failures[0]);
  }

  /** Makes another login of the session the current one. @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE` */
  async switchTo(req: Request, grantId: string): Promise<void> {
    this.#makeCurrent(req, grantId);
    await saveSession(req);
  }

  #makeCurrent(req: Request, grantId: string): void {
    const { session } = this.options;
    const entries = entriesOf(req, session);
    const current = entries.find((entry) => entry.grantId === grantId);
    const others = entries.filter((entry) => entry !== current);
    const state = stateOf(req, session);
    if (current && state) writeState(req, session, stateWith(current, others, state));
  }

  /**
   * Takes a login out of the session that is over for good: Salesforce or a logout elsewhere has ended its grant. A login
   * whose app is merely not configured stays, to go on once it is again. No other login takes its place unasked: what the
   * user was doing was meant for this one's organization.
   */
  async forgetLogin(req: Request, error: SalesforceAuthError): Promise<void> {
    const { session } = this.options;
    if (error.code !== 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED') return;
    const entry = entriesOf(req, session).find(({ grantId }) => grantId === grantIdOfError(error));
    if (!entry) return;
    session.ended.note(entry.holder);
    if (await isSessionStillInStore(req)) removeEntries(req, session, [entry]);
    // In the background: nobody waits for it, and a holder that stays runs out by itself.
    this.grants.removeHolder(entry).catch(() => undefined);
  }

  /** Whether an error is about a grant that is none of this session's, as jobs in a route can have. */
  isForeign(req: Request, error: SalesforceAuthError): boolean {
    const grantId = grantIdOfError(error);
    return grantId !== undefined && !entriesOf(req, this.options.session).some((entry) => entry.grantId === grantId);
  }

  /** Ends: finishes refreshes and revocations under way, and closes the store made here. */
  async close(): Promise<void> {
    this.#probe.end();
    await Promise.all([this.#keepAlive?.close(), this.coordinator.close()]);
    await this.revocations.close();
    if (this.options.ownsStore) await this.options.store.close?.();
  }
}
