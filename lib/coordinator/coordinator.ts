import { setMaxListeners } from 'node:events';
import { atMost, holding, within, type Clock } from '../clock';
import { isSalesforceAuthError, requiresLogin } from '../errors';
import type { FetchFunction } from '../options/fetch-function';
import type { TokenSet } from '../token/types';
import { Background } from './background';
import { accessTokenOf, ageOf, GrantCache, isAtRest, isOf, type GrantView } from './cache';
import { GrantChanges } from './changes';
import type { RefreshCause, ServedFrom } from './events';
import {
  closed,
  isRefreshTokenOver,
  isStoreFailure,
  loggedOut,
  loginRequired,
  noteGrant,
  refreshPending,
} from './failures';
import { isRenewable, type GrantKey } from './grant';
import { GrantAccess } from './grant-access';
import { KnownGrants } from './known-grants';
import { Refusals } from './refusals';
import { refreshed } from './refresh/first-use';
import { Outages } from './refresh/outages';
import { Rotation } from './refresh/rotation';
import { RotationTurn } from './refresh/rotation-turn';
import { Turns } from './refresh/turns';
import { Uses } from './refresh/uses';
import { requestOf } from './refresh/verdict';
import type { RefreshReason } from './refresh/run';
import type { GivenParts } from './parts';
import type { RefreshDeps } from './refresh/deps';

/** How a token is asked for. */
export interface GetOptions {
  /** An access token Salesforce refused: a different one is wanted. */
  rejected?: string | undefined;
  /**
   * An access token that is not enough for one request, although it may work at the instance: a different one is wanted, and
   * all other requests go on with this one until there is another.
   */
  unwanted?: string | undefined;
  /** How long to wait for a refresh, in milliseconds. The refresh itself goes on. */
  waitMs?: number | undefined;
}

/**
 * Gives every caller a valid access token of a grant, refreshed exactly once however many ask in however many processes.
 *
 * Knows grants, not sessions or requests.
 */
export class TokenCoordinator {
  readonly #parts: RefreshDeps;
  readonly #cache = new GrantCache();
  readonly #known: KnownGrants;
  readonly #access: GrantAccess;
  readonly #attempts = new Map<string, { generation: string | undefined; tokens: Promise<TokenSet | 'moved'> }>();
  readonly #closing: AbortController;
  readonly #turns: Turns;
  /** Fresh tokens that were refused, for the parts beside the coordinator. */
  readonly refusals: Refusals;

  constructor(parts: GivenParts) {
    this.#closing = new AbortController();
    this.#known = new KnownGrants({ cache: this.#cache, ...parts });
    this.refusals = new Refusals(parts.clock);
    // There is one listener for each waiting grant, which is no leak.
    setMaxListeners(0, this.#closing.signal);
    const changes = new GrantChanges(parts.store, parts.clock, (grantId) => this.#access.outdate(grantId));
    const deps = { ...parts, changes, closing: this.#closing.signal };
    this.#access = new GrantAccess(deps, this.#cache);
    const background = new Background(parts, this.#access);
    const rotation = new Rotation(parts.clock);
    const turn = new RotationTurn({ store: parts.store, access: this.#access }, rotation);
    const outages = new Outages(parts.clock);
    const uses = new Uses({ store: parts.store, access: this.#access });
    this.#turns = new Turns({ clock: parts.clock, outages, uses });
    this.#parts = { ...deps, access: this.#access, background, outages, rotation, turn };
  }

  /** Work that is finished later, for the parts beside the coordinator. */
  get background(): Background {
    return this.#parts.background;
  }

  /** Reading grants, for the parts beside the coordinator. */
  get access(): GrantAccess {
    return this.#access;
  }

  /** How requests with these tokens are sent; see the option `fetch`. */
  fetchOf(tokens: TokenSet): Promise<FetchFunction | undefined> {
    return this.#parts.source.fetchOf(tokens);
  }

  /** Where requests with these tokens may go beside the instance; see the option `apiHosts`. */
  apiOriginsOf(tokens: TokenSet): Promise<readonly string[]> {
    return this.#parts.source.apiOriginsOf(tokens);
  }

  /** Whether these tokens may be sent to a URL; see the option `allowedHosts`. */
  trustOf(tokens: TokenSet): Promise<(url: URL) => boolean> {
    return this.#parts.source.trustOf(tokens);
  }

  /** The source of time, for the parts beside the coordinator. */
  get clock(): Clock {
    return this.#parts.clock;
  }

  /** Tokens that are known to be good at this moment, without any waiting; undefined if {@link get} has to be asked. */
  peek(key: GrantKey): TokenSet | undefined {
    return this.#known.good(key)?.tokens;
  }

  /** The same, for a caller that hands them out. */
  take(key: GrantKey): TokenSet | undefined {
    const view = this.#known.good(key);
    return view && this.#serve(view, view.isStale ? 'stale' : 'memory');
  }

  /**
   * Valid tokens: from memory, else from the store, else refreshed.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` if only a login helps; others, with status
   *   502 or 503, leave the user logged in
   */
  async get(key: GrantKey, options: GetOptions = {}): Promise<TokenSet> {
    const { grantId } = key;
    const good = this.#takeOther(key, options.rejected ?? options.unwanted);
    if (good) return good;

    try {
      return await this.#getFromStore(key, options);
    } catch (error) {
      // The login is over: nothing of it is served from memory any longer.
      if (requiresLogin(error)) {
        this.#cache.delete(grantId);
        noteGrant(error, grantId);
      }
      const code = isSalesforceAuthError(error) ? error.code : undefined;
      this.#parts.events.emit('token.failed', { grantId, code });
      throw error;
    }
  }

  #takeOther(key: GrantKey, refused: string | undefined): TokenSet | undefined {
    const isRefused = refused !== undefined && this.peek(key)?.accessToken === refused;
    return isRefused ? undefined : this.take(key);
  }

  /** @param since when the request was asked, if a claim has shown since then that the store has other tokens */
  async #getFromStore(key: GrantKey, options: GetOptions, since?: number): Promise<TokenSet> {
    const { grantId } = key;
    const { rejected, unwanted, waitMs } = options;
    const { clock, events, settings } = this.#parts;
    const startedAt = since ?? clock.monotonic();
    const not = rejected ?? unwanted;
    const seen = since === undefined ? undefined : this.#known.since(key, since);
    const unread = seen ? undefined : this.#unread(key, options);
    const view = seen ?? unread ?? (await this.#read(key, not));
    const { accessToken } = view.tokens;
    // From here on this process serves the token to no request, whether or not the store records the refusal.
    if (accessToken === rejected) view.isRefused = true;
    const isUnwanted = accessToken === unwanted;
    const found = !unread && view.readAt.monotonic >= startedAt ? view : undefined;
    const ageMs = ageOf(view, clock);
    const isAlone = clock.monotonic() < view.aloneUntil;
    const isAccepted = !view.isRefused && !isUnwanted;
    const isRefreshing = (): boolean => this.#attempts.has(grantId);
    if (isAccepted && (ageMs < view.hardInMs || (isAlone && ageMs < view.overInMs))) {
      if (ageMs >= view.softInMs && (isRefreshing() || !this.#turns.waitsInUse(view))) {
        this.#refreshInBackground(key, view, { rejected: undefined, cause: 'soft', found });
      }
      // The view is older than the question: the store did not answer, and memory did.
      return this.#serve(view, view.isStale ? 'stale' : found ? 'store' : 'memory');
    }
    if (isAccepted && !isRefreshing() && (await this.#turns.waitsPastEnd(view)) && !isRefreshing()) {
      // The store may have been asked meanwhile, and the token been refused or replaced.
      const newer = this.#takeOther(key, not);
      if (newer) return newer;
      if (!view.isRefused) return this.#serve(view, 'stale');
    }
    let tokens: TokenSet | 'moved';
    try {
      // The time the store took counts towards the time that a request waits.
      const patience = { waitMs: waitMs ?? settings.waitMs, since: startedAt };
      const cause = view.isRefused ? 'rejected' : isUnwanted ? 'unwanted' : 'hard';
      const remembered = unread && this.#mayClaim(unread, waitMs) ? unread : undefined;
      const reason = { rejected: cause === 'hard' ? undefined : accessToken, cause, found, remembered } as const;
      tokens = await this.#join(key, reason, patience);
    } catch (error) {
      // While the access token works, the user is logged in, whatever became of the refresh token.
      if (isUnwanted || (requiresLogin(error) && !isRefreshTokenOver(error))) throw error;
      const request = requestOf(requiresLogin(error) ? 'login' : '503', accessTokenOf(view, clock));
      if (request !== 'old token') throw error;
      return this.#serve(view, 'stale');
    }
    if (tokens === 'moved') return this.#takeOther(key, not) ?? this.#getFromStore(key, options, startedAt);
    events.served(grantId, 'refreshed');
    return tokens;
  }

  /**
   * Refreshes a grant without a request, even if its access token still works.
   *
   * @throws SalesforceAuthError as {@link get}
   */
  async refresh(key: GrantKey, cause: RefreshCause): Promise<void> {
    const since = this.#parts.clock.monotonic();
    const grant = await this.#access.open(key.grantId);
    if (!grant) throw loggedOut();
    // An app token does not end because it is unused.
    if (grant.tokens.app && cause === 'sweep') return;
    const { waitMs } = this.#parts.settings;
    if (grant.record.state === 'ended') throw loginRequired('Salesforce no longer accepts the refresh token.');
    const reason = { rejected: grant.tokens.accessToken, cause, found: grant };
    while ((await this.#join(key, reason, { waitMs, since })) === 'moved');
  }

  /** Forgets what this process knows of a grant. */
  forget(grantId: string): void {
    this.#cache.delete(grantId);
  }

  /** Waits until this process has no attempt for a grant, or `timeoutMs` is over. */
  async afterAttempt(grantId: string, timeoutMs: number): Promise<void> {
    const attempt = this.#attempts.get(grantId);
    if (attempt) await atMost(this.#parts.clock, timeoutMs, attempt.tokens);
  }

  /** Ends: refreshes under way are finished and stored, new ones are refused. */
  async close(): Promise<void> {
    this.#closing.abort();
    const { clock, settings } = this.#parts;
    const attempts = Promise.allSettled([...this.#attempts.values()].map(({ tokens }) => tokens));
    await atMost(clock, settings.closeTimeoutMs, attempts);
    this.#parts.changes.close();
  }

  /**
   * What is known of a token that has ended, or was refused. Undefined if the store has to be asked first: a refresh under way
   * knows its result sooner than the store, and a claim shows whether the store has other tokens.
   */
  #unread(key: GrantKey, { rejected, unwanted, waitMs }: GetOptions): GrantView | undefined {
    const view = this.#known.over(key, rejected ?? unwanted);
    if (!view) return undefined;
    const attempt = this.#attempts.get(key.grantId);
    const isEnough = attempt ? attempt.generation === key.generation && !view.isOutdated : this.#mayClaim(view, waitMs);
    return isEnough ? view : undefined;
  }

  /**
   * Whether a grant can be claimed as this process remembers it. Another process may have stored new tokens, and a request gets
   * those also if the store is slow, or if a configuration function does not answer.
   */
  #mayClaim(view: GrantView, waitMs = this.#parts.settings.waitMs): boolean {
    const { settings, source } = this.#parts;
    const isCertain = source.fixed !== undefined && waitMs >= settings.storeTimeoutMs && this.#access.isAnswered;
    return isCertain && isAtRest(view) && isRenewable(view.tokens) && this.#turns.isFree(view);
  }

  /** The grant from the store, or from memory while the store does not answer. */
  async #read(key: GrantKey, rejected: string | undefined): Promise<GrantView> {
    let view: GrantView | undefined;
    try {
      view = await this.#access.view(key.grantId, (found) => isOf(found, key));
    } catch (error) {
      const known = this.#known.of(key);
      if (!known || known.tokens.accessToken === rejected) throw error;
      if (accessTokenOf(known, this.#parts.clock) !== 'works' || !isStoreFailure(error)) throw error;
      this.#known.leaveStoreAlone(known);
      return known;
    }
    if (!view || !isOf(view, key)) throw loggedOut();
    return view;
  }

  #serve(view: GrantView, from: ServedFrom): TokenSet {
    this.#parts.events.served(view.record.grantId, from);
    return view.tokens;
  }

  #refreshInBackground(key: GrantKey, view: GrantView, reason: RefreshReason): void {
    const now = this.#parts.clock.monotonic();
    // Until the pause is over or the refresh is done, requests are served from memory.
    view.quietUntil = Math.max(view.nextTryAt, now + 1_000);
    view.isStale = true;
    if (now < view.nextTryAt || this.#closing.signal.aborted) return;
    this.#attempt(key, reason).catch((error: unknown) => {
      if (requiresLogin(error)) this.#cache.delete(key.grantId);
    });
  }

  /** Waits for the grant's attempt, and starts one if there is none. After `waitMs` the attempt goes on without the caller. */
  async #join(
    key: GrantKey,
    reason: RefreshReason,
    { waitMs, since }: { waitMs: number; since: number },
  ): Promise<TokenSet | 'moved'> {
    if (this.#closing.signal.aborted) throw closed();
    const inTime = (attempt: Promise<TokenSet | 'moved'>): Promise<TokenSet | 'moved'> => {
      const { clock } = this.#parts;
      const leftMs = since + waitMs - clock.monotonic();
      return holding(
        clock,
        within(clock, leftMs, attempt, () => refreshPending(waitMs)),
      );
    };
    const tokens = await inTime(this.#attempt(key, reason));
    // The attempt began for another reason and ended with the token that was refused.
    const isRejected = tokens !== 'moved' && tokens.accessToken === reason.rejected;
    return isRejected ? inTime(this.#attempt(key, withoutFound(reason))) : tokens;
  }

  #attempt(key: GrantKey, reason: RefreshReason): Promise<TokenSet | 'moved'> {
    const { grantId, generation } = key;
    const under = this.#attempts.get(grantId);
    if (under && under.generation === generation) return under.tokens;
    // The attempt is that of an earlier login or of a job. Its end says nothing about this login.
    if (under) return under.tokens.catch(() => undefined).then(() => this.#attempt(key, withoutFound(reason)));
    const tokens = refreshed(key, reason, this.#parts).finally(() => this.#attempts.delete(grantId));
    this.#attempts.set(grantId, { generation, tokens });
    return tokens;
  }
}

/** The same reason some time later: what was read then may be out of date. */
function withoutFound({ rejected, cause }: RefreshReason): RefreshReason {
  return { rejected, cause, found: undefined };
}
