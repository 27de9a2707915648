import type { Request } from 'express';
import { errorFrom, isSalesforceAuthError } from '../errors';
import { loaded } from '../loaded';
import { LoginMoves } from '../login/move';
import type { Configuration } from '../options/configuration';
import { claimRecordsOf } from './login-claims';
import { LoginIntents } from './login-intent';
import { HolderExtensions } from './holder-extensions';
import { LostGrants } from './lost-grants';
import { OverlappingLogins } from './overlapping-logins';
import type { Adoptions } from '../coordinator/adoptions';
import { GrantCodec } from '../coordinator/codec';
import { TokenCoordinator } from '../coordinator/coordinator';
import { EventHub } from '../coordinator/events';
import { Grants } from '../coordinator/grants';
import { KeepAlive } from '../coordinator/keep-alive';
import { Revocations } from '../coordinator/revocation';
import { MountedStrategy } from './mounted-strategy';
import type { ParsedOptions } from './options';
import { probeStore, type StoreProbe } from './store-probe';
import { mountPathOf } from './visit';

/** A warning of its own: that the same grant opens for no request is told under the code of the error. */
const notRevoked =
  'A grant was logged out or replaced by a login, and its tokens were not revoked at Salesforce, since the grant does not open: no key ' +
  'of encryptionKeys fits, or the grant is in the clear and grants.acceptUnencrypted is not set. The tokens work until they end. To end ' +
  'them now, revoke the access of the user in Salesforce (Setup, OAuth usage of the app). Then give each process all keys that are in ' +
  'use, and set grants.acceptUnencrypted while you switch encryption on.';

/** What the routes, guards and requests of one mounted middleware share. */
export class AuthContext {
  readonly options: ParsedOptions;
  readonly events: EventHub;
  readonly coordinator: TokenCoordinator;
  readonly grants: Grants;
  /** Loaded at the first adoption. */
  readonly adoptions: () => Promise<Adoptions>;
  readonly revocations: Revocations;
  readonly codec: GrantCodec;
  /** The strategy that this middleware mounts. */
  readonly strategy: MountedStrategy;
  readonly intents: LoginIntents;
  readonly moves: LoginMoves;
  readonly holders: HolderExtensions;
  readonly lost: LostGrants;
  readonly overlapping: OverlappingLogins;
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
      report: (error: unknown) => this.report(error),
    };
    this.coordinator = new TokenCoordinator(parts);
    this.events.emitter.on('revocation.failed', ({ code }) => {
      if (code !== undefined) options.reporter.warn('TOKENS_NOT_REVOKED', notRevoked);
    });
    this.grants = new Grants(parts, this.coordinator, grantIdKey);
    this.holders = new HolderExtensions(options, this.grants);
    this.lost = new LostGrants(this.coordinator.access, options);
    this.overlapping = new OverlappingLogins(options);
    this.adoptions = async () => {
      const { Adoptions: Loaded } = await loaded(() => import('../coordinator/adoptions'));
      return new Loaded(parts, this, grantIdKey);
    };
    this.intents = new LoginIntents(options);
    this.moves = new LoginMoves(options.keys, clock);
    const { keepAlive, reporter } = options;
    this.strategy = new MountedStrategy(options, {
      claims: claimRecordsOf(store, this.coordinator.access, { clock, reporter }),
      defaultCallback: (req) => this.callbackPathOf(req),
      onAbandoned: (tokens) => void this.grants.discard(tokens),
    });
    this.#keepAlive = keepAlive && new KeepAlive(parts, this, keepAlive);
    store.reportTo?.((code, message) => reporter.warn(code, message));
    this.#probe = probeStore(options);
  }

  /** Where this middleware is mounted, for a request that has passed it. */
  mountPathOf(req: Request): string {
    const mountPath = this.#attachedTo(req)?.mountPath;
    return typeof mountPath === 'string' ? mountPath : mountPathOf(req.baseUrl);
  }

  /** The session that a request had as it passed this middleware. */
  formerSessionOf(req: Request): object | undefined {
    return this.#attachedTo(req)?.formerSession;
  }

  /** What this middleware has put on a request, if the request has passed it. */
  #attachedTo(req: Request): { mountPath?: unknown; formerSession?: object | undefined } | undefined {
    return (req as unknown as Record<string, { mountPath?: unknown; formerSession?: object | undefined } | undefined>)[
      this.options.property
    ];
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

  /** Tells the operator that a login failed, also if an error handler of the application answers the error. */
  noteFailedLogin(error: unknown): void {
    const code = isSalesforceAuthError(error) ? error.code : undefined;
    // The text of an error of the application may be secret.
    const { name, message } = errorFrom(error);
    this.events.emit('login.failed', { code, reason: code === undefined ? `The application threw ${name}.` : message });
    this.report(error);
    if (code === undefined) this.noteApplicationError('A login', error);
  }

  /** Tells the operator that code of the application failed. The text of the error may be secret, and is left out. */
  noteApplicationError(what: string, error: unknown): void {
    const { name } = errorFrom(error);
    this.options.reporter.warn(
      'APPLICATION_CODE',
      `${what} failed since code of the application threw ${name} (configuration, tenant, publicUrl, authorizeUser, onLogin or ` +
        'pages.error). The error itself went to the error handlers of Express.',
    );
  }

  /** Ends: finishes refreshes and revocations under way, and closes the store made here. */
  async close(): Promise<void> {
    this.#probe.end();
    await Promise.all([this.#keepAlive?.close(), this.coordinator.close()]);
    await this.revocations.close();
    if (this.options.ownsStore) await this.options.store.close?.();
  }
}
