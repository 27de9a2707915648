import { debugRefresh } from '../debug';
import { isSalesforceAuthError } from '../errors';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';
import { viewOf, type GrantCache, type GrantView } from './cache';
import { storeFailed } from './failures';
import type { CoordinatorParts } from './settings';

/** A record and the tokens in it. */
export interface OpenGrant {
  record: GrantRecord;
  tokens: TokenSet;
}

/** Reads grants, many readers of one grant in one trip, and keeps what was read in the cache. */
export class GrantAccess {
  readonly #parts: CoordinatorParts;
  readonly #cache: GrantCache;
  readonly #reads = new Map<string, Promise<GrantView | undefined>>();

  constructor(parts: CoordinatorParts, cache: GrantCache) {
    this.#parts = parts;
    this.#cache = cache;
  }

  /** The grant for a request, or undefined where it is gone; shares a read that is under way. */
  async view(grantId: string): Promise<GrantView | undefined> {
    const reading = this.#reads.get(grantId);
    if (reading) return reading;
    const read = this.open(grantId).then((grant) =>
      grant && grant.record.state !== 'dead' ? this.remember(grant.record, grant.tokens) : undefined,
    );
    this.#reads.set(grantId, read);
    try {
      return await read;
    } finally {
      this.#reads.delete(grantId);
    }
  }

  /** The grant as the store has it at this moment. */
  async open(grantId: string): Promise<OpenGrant | undefined> {
    const record = await this.call('read a grant', () => this.#parts.store.read(grantId));
    if (!record || record.state === 'gone') return undefined;
    return { record, tokens: await this.#parts.codec.decode(record) };
  }

  /** Keeps what was read or written in the cache. */
  remember(record: GrantRecord, tokens: TokenSet): GrantView {
    const view = viewOf(record, tokens, this.#parts.clock);
    this.#cache.set(record.grantId, view);
    return view;
  }

  /** Calls the store and turns a failure into our own error, which logs nobody out. */
  async call<T>(operation: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      if (isSalesforceAuthError(error)) throw error;
      debugRefresh('token store failed to %s', operation);
      this.#parts.events.emit('store.error', { operation });
      throw storeFailed(operation, error);
    }
  }
}
