import { unlessAborted, within } from '../clock';
import { debugRefresh } from '../debug';
import { isSalesforceAuthError } from '../errors';
import { noAnswerWithin, storeFailureOf } from '../stores/failure';
import type { GrantRecord } from '../stores/store';
import { grantSchema } from '../stores/stored-grant';
import type { TokenSet } from '../token/types';
import { outdate, viewOf, type GrantCache, type GrantView } from './cache';
import type { StoreOperation } from './events';
import { storeFailed } from './failures';
import type { CoordinatorParts } from './parts';

/** From one match to the next, a store may have to look at many grants. So that may take longer than one operation, so many times. */
const walkFactor = 12;

/** A record and the tokens in it. */
export interface OpenGrant {
  record: GrantRecord;
  tokens: TokenSet;
}

/** How long a reader waits for what a store gives one by one. */
export interface Patience {
  /** For each answer at least, in milliseconds. */
  atLeastMs?: number | undefined;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
}

/** A read under way, which several requests wait for. */
interface Reading {
  isOutdated: boolean;
  view: Promise<GrantView | undefined>;
}

/** Reads grants and caches them. Requests that ask for one grant at once share one read. */
export class GrantAccess {
  readonly #parts: CoordinatorParts;
  readonly #cache: GrantCache;
  readonly #reads = new Map<string, Reading>();
  /** Whether the store has carried out what it was asked last. */
  isAnswered = true;

  constructor(parts: CoordinatorParts, cache: GrantCache) {
    this.#parts = parts;
    this.#cache = cache;
  }

  /**
   * The grant for a request, or undefined if it is gone; shares a read that is under way. A read that began before this
   * request may know less than the session, if there was a login meanwhile. Its tokens may be served, but it logs out no user.
   *
   * @param fits whether a view is of the login that is asked for
   */
  async view(grantId: string, fits: (view: GrantView) => boolean): Promise<GrantView | undefined> {
    const earlier = await this.#reads.get(grantId)?.view;
    if (earlier && fits(earlier)) return earlier;
    return this.#reads.get(grantId)?.view ?? this.#startReading(grantId);
  }

  async #startReading(grantId: string): Promise<GrantView | undefined> {
    const reading: Reading = {
      isOutdated: false,
      view: this.open(grantId).then((grant) => {
        if (!grant) return undefined;
        const view = this.remember(grant.record, grant.tokens);
        if (reading.isOutdated) outdate(view);
        return view;
      }),
    };
    this.#reads.set(grantId, reading);
    try {
      return await reading.view;
    } finally {
      if (this.#reads.get(grantId) === reading) this.#reads.delete(grantId);
    }
  }

  /**
   * Notes that a grant has changed in the store, so that the next request asks the store. The cached view stays, in case the
   * store does not answer.
   */
  outdate(grantId: string): void {
    const view = this.#cache.get(grantId);
    if (view) outdate(view);
    const reading = this.#reads.get(grantId);
    if (!reading) return;
    // It may have been read before the change.
    reading.isOutdated = true;
    this.#reads.delete(grantId);
  }

  /** The grant as the store has it at this moment. */
  async open(grantId: string): Promise<OpenGrant | undefined> {
    const record = await this.read(grantId);
    if (!record || record.state === 'loggedOut') return undefined;
    return { record, tokens: await this.tokensOf(record) };
  }

  /** The tokens of a record that was read. @throws SalesforceAuthError `ERR_SALESFORCE_GRANT_UNREADABLE` */
  async tokensOf(record: GrantRecord): Promise<TokenSet> {
    return this.#known(record) ?? this.#parts.codec.decode(record);
  }

  /** The tokens of a record whose payload is cached unchanged. Decrypting it again would be most of the cost of a read. */
  #known({ grantId, schema, generation, payload }: GrantRecord): TokenSet | undefined {
    const view = this.#cache.get(grantId);
    const known = view?.record;
    const isSame = known?.payload === payload && known.generation === generation && (schema as number) === grantSchema;
    return isSame ? view?.tokens : undefined;
  }

  /** The record alone, whatever its state. */
  read(grantId: string): Promise<GrantRecord | undefined> {
    return this.call('read', () => this.#parts.store.read(grantId));
  }

  /** Keeps what was read or written in the cache. */
  remember(record: GrantRecord, tokens: TokenSet): GrantView {
    const view = viewOf(record, tokens, this.#parts.clock);
    const known = this.#cache.get(record.grantId);
    if (this.hasSeenNewer(record)) view.newestVersion = known?.newestVersion ?? record.version;
    if (known?.record.generation === record.generation && known.record.version === record.version)
      view.isInUse = known.isInUse;
    this.#cache.set(record.grantId, view);
    return view;
  }

  /**
   * Keeps what the answer to the claim of a remembered grant shows. If something else was cached meanwhile, that is newer, and
   * nothing is kept. False then.
   */
  rememberClaim(remembered: OpenGrant, record: GrantRecord, tokens: TokenSet): boolean {
    const known = this.#cache.get(record.grantId);
    if (known !== remembered) return false;
    const { isOutdated } = known;
    const view = this.remember(record, tokens);
    if (isOutdated) outdate(view);
    return true;
  }

  /** Caches what this process itself has just stored, which replaces any older view. */
  replace(record: GrantRecord, tokens: TokenSet): void {
    this.#cache.set(record.grantId, viewOf(record, tokens, this.#parts.clock));
  }

  /** Whether this process has seen newer tokens of the grant than the record has: then the store has lost a write. */
  hasSeenNewer({ grantId, generation, version }: GrantRecord): boolean {
    const known = this.#cache.get(grantId);
    return known?.record.generation === generation && known.newestVersion > version;
  }

  /**
   * Calls the store and turns a failure into our own error, which logs no user out. A store that does not answer in time has
   * failed as well: its server may be frozen, or the connection may be dead without notice.
   *
   * @param onLate takes an answer that came after the time was over
   */
  call<T>(operation: StoreOperation, run: () => Promise<T>, onLate?: (answer: T) => Promise<void>): Promise<T> {
    return this.#within({ operation, limitMs: this.#parts.settings.storeTimeoutMs }, run, onLate);
  }

  async #within<T>(
    { operation, limitMs }: { operation: StoreOperation; limitMs: number },
    run: () => Promise<T>,
    onLate?: (answer: T) => Promise<void>,
  ): Promise<T> {
    const { clock } = this.#parts;
    const startedAt = clock.monotonic();
    let isLate = false;
    const tooLate = (): Error => {
      isLate = true;
      return noAnswerWithin(limitMs);
    };
    try {
      const running = run();
      if (onLate) running.then((answer) => (isLate ? onLate(answer) : undefined)).catch(() => undefined);
      const answer = await within(clock, limitMs, running, tooLate);
      this.isAnswered = true;
      return answer;
    } catch (error) {
      throw this.#failed(operation, startedAt, error);
    }
  }

  /** The same for what a store gives one by one, each in time. @throws also the reason of the signal */
  async *each<T>(
    operation: StoreOperation,
    run: () => AsyncIterable<T>,
    { atLeastMs = 0, signal }: Patience = {},
  ): AsyncIterable<T> {
    const limitMs = Math.max(walkFactor * this.#parts.settings.storeTimeoutMs, atLeastMs);
    let iterator: AsyncIterator<T> | undefined;
    let isAnswering = false;
    const next = (): Promise<IteratorResult<T>> => (iterator ??= run()[Symbol.asyncIterator]()).next();
    try {
      for (;;) {
        const answer = await this.#within({ operation, limitMs }, () => unlessAborted(next(), signal));
        if (answer.done === true) {
          iterator = undefined;
          return;
        }
        isAnswering = true;
        yield answer.value;
        isAnswering = false;
      }
    } finally {
      // The reader stops early, or the store did not answer. Such a store is not waited for, but ends its walk once it can.
      const ended = endOf(iterator);
      if (isAnswering) await ended;
      else ended.catch(() => undefined);
    }
  }

  #failed(operation: StoreOperation, startedAt: number, error: unknown): unknown {
    if (isSalesforceAuthError(error)) return error;
    this.isAnswered = false;
    const { clock, events } = this.#parts;
    const { code, reason } = storeFailureOf(error);
    debugRefresh('token store failed: %s %s %s', operation, code, reason);
    events.emit('store.failed', { operation, code, reason, durationMs: clock.monotonic() - startedAt });
    return storeFailed(operation, error);
  }
}

async function endOf(iterator: AsyncIterator<unknown> | undefined): Promise<void> {
  await iterator?.return?.();
}
