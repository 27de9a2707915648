import { setMaxListeners } from 'node:events';
import { wait, type Clock } from '../clock';
import { debugRevoke } from '../debug';
import { clientChanged, type ConfigurationSource } from '../options/source';
import type { TokenSet } from '../token/types';
import { isUnreadable } from './codec';
import type { EventHub } from './events';
import { askAt, placesOf } from './places';

/** Pauses between tries, in milliseconds; after the last one Salesforce's own policies have to end the token. */
const pausesMs = [1_000, 5_000, 30_000, 120_000] as const;

/** One token on its way to be revoked. */
interface Revocation {
  grantId: string;
  /** The token set it belongs to, which says at which client and host. */
  tokens: TokenSet;
  token: string;
  startedAt: number;
}

/** Revokes tokens at Salesforce, trying again in the background while Salesforce cannot be reached. */
export class Revocations {
  readonly #source: ConfigurationSource;
  readonly #clock: Clock;
  readonly #events: EventHub;
  readonly #pending = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(source: ConfigurationSource, clock: Clock, events: EventHub) {
    this.#source = source;
    this.#clock = clock;
    this.#events = events;
    // There is one listener for each token that waits for its next try, which is no leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * Revokes what is live of a token set. Resolves after the first try; further ones go on in the background.
   *
   * @param kept tokens that live on: a value that is the same there is never revoked
   */
  async revoke(grantId: string, tokens: TokenSet, kept?: TokenSet): Promise<void> {
    const token = revocableOf(tokens);
    // The app token was never fetched.
    if (token === '') return;
    if (token === kept?.refreshToken || token === kept?.accessToken) return;
    await this.revokeValue(grantId, tokens, token);
  }

  /** Revokes one token. */
  async revokeValue(grantId: string, tokens: TokenSet, token: string): Promise<void> {
    const revocation = { grantId, tokens, token, startedAt: this.#clock.monotonic() };
    if (await this.#try(revocation)) return;
    this.track(this.#retry(revocation));
  }

  /** The operator alone can end the tokens of a record that does not open, once the record is gone. */
  tellUnreadable(grantId: string): void {
    this.#events.emit('revocation.failed', { grantId, durationMs: 0, code: 'ERR_SALESFORCE_GRANT_UNREADABLE' });
  }

  /** Handles the failure to read tokens that are to be revoked. */
  giveUp(grantId: string): (error: unknown) => undefined {
    return (error) => {
      if (isUnreadable(error)) this.tellUnreadable(grantId);
      return undefined;
    };
  }

  /** Adds background work that {@link close} waits for. */
  track(work: Promise<void>): void {
    this.#pending.add(work);
    void work.finally(() => this.#pending.delete(work));
  }

  /** Aborts when there is no time left to wait between tries. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Tries what is left once more and waits for it. */
  async close(): Promise<void> {
    this.#closing.abort();
    // A first try that fails now leaves one more to wait for.
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  async #retry(revocation: Revocation): Promise<void> {
    for (const pauseMs of pausesMs) {
      // Returns at once when closing, for one last try.
      await wait(this.#clock, pauseMs, this.#closing.signal);
      if (await this.#try(revocation)) return;
      if (this.#closing.signal.aborted) break;
    }
    this.#tell(revocation, false);
  }

  async #try(revocation: Revocation): Promise<boolean> {
    const { grantId, tokens, token } = revocation;
    try {
      const { clientID, tenant, baseUrl } = tokens;
      const configuration = await this.#source.resolveClient(clientID, { tenant });
      const places = placesOf(tokens, configuration);
      // A host that is not trusted must not get the client secret.
      if (!places.includes(baseUrl)) throw clientChanged();
      const { TokenClient } = await import('../token/client');
      const revoke = (place: string): Promise<'revoked' | 'unknown'> =>
        new TokenClient(configuration, place, this.#clock).revoke(token);
      await askAt(places, revoke, (answer) => answer === 'revoked');
      debugRevoke('%s revoked', grantId);
      this.#tell(revocation, true);
      return true;
    } catch {
      debugRevoke('%s could not be revoked for now', grantId);
      return false;
    }
  }

  #tell({ grantId, startedAt }: Revocation, succeeded: boolean): void {
    const durationMs = this.#clock.monotonic() - startedAt;
    if (succeeded) this.#events.emit('revocation.succeeded', { grantId, durationMs });
    else this.#events.emit('revocation.failed', { grantId, durationMs, code: undefined });
  }
}

/** The token of a set that is revoked. Revoking a refresh token ends its access tokens as well. */
export function revocableOf({ refreshToken, accessToken }: TokenSet): string {
  return refreshToken ?? accessToken;
}
