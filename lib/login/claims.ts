import { createHash } from 'node:crypto';
import { randomName } from '../crypto/random-name';
import { BoundedMap } from '../bounded-map';
import { wait, type Clock } from '../clock';
import type { KeyRing } from '../crypto/key-ring';
import { SalesforceAuthError } from '../errors';
import { loginLifeMs } from './transactions';

/** The outcome of the first request of a callback, for later requests: its result, or the code of its error. */
export type LoginOutcome<Result = unknown> = { result: Result } | { errorCode: string };

/** The right to end one login, taken by the callback that came first. */
export interface LoginClaim {
  /** Leaves the outcome for later requests of the same callback. It must not hold a token. */
  settle: (outcome: LoginOutcome) => Promise<void>;
}

/** Where claims are kept: in the token store, for all processes, or in the memory of this one. */
export interface ClaimRecords {
  /** Atomic. The same owner may ask again, in case the answer was lost. */
  claimOnce(
    key: string,
    owner: string,
    lifeMs: number,
  ): Promise<{ outcome: 'claimed' } | { outcome: 'taken'; result: string | undefined }>;
  /** Keeps the owner's result beside the claim. */
  settleClaim(key: string, owner: string, result: string): Promise<void>;
}

/** Most callbacks whose claim was not answered that are remembered. */
const maxUnanswered = 10_000;

/** Most owners that are remembered for one callback. */
const maxOwners = 10;

/** Pauses between two looks at a claim that is not settled, in milliseconds. */
const pausesMs = [50, 100, 200, 400];

/**
 * Makes sure that the code of a login is presented once in all processes, by the request that came first.
 *
 * A double click, a reload or a second process opens the same callback again. Such a request waits for the outcome of the
 * first one, and gets it if the browser is the same: the transaction's cookie is the proof, so a claim is taken only after
 * that cookie has been opened.
 */
export class LoginClaims {
  readonly #records: ClaimRecords;
  readonly #keys: KeyRing;
  readonly #clock: Clock;
  readonly #waitMs: number;
  /**
   * Owners whose claim the store did not answer. Their requests presented nothing, and the store may have written the claim all the
   * same: the next request of the callback takes it over.
   */
  readonly #unanswered = new BoundedMap<string, readonly string[]>(maxUnanswered);

  constructor(
    records: ClaimRecords,
    keys: KeyRing,
    { clock, waitMs = 10_000 }: { clock: Clock; waitMs?: number | undefined },
  ) {
    this.#records = records;
    this.#keys = keys;
    this.#clock = clock;
    this.#waitMs = waitMs;
  }

  /**
   * Takes the claim of a login, or else the outcome of the request that has it.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_LOGIN_EXPIRED` if that request leaves no outcome in time; what the store
   *   throws, if it does not answer: then nothing has been presented
   */
  async take(state: string): Promise<LoginClaim | LoginOutcome> {
    const key = createHash('sha256').update(`login ${state}`).digest('base64url');
    const startedAt = this.#clock.monotonic();
    const own = randomName();
    for (let tries = 0; ; tries++) {
      const former = this.#unanswered.get(key) ?? [];
      // Of several requests, one alone takes them over. One of them may fail while this request waits.
      this.#unanswered.delete(key);
      const answer = await this.#claim(key, [...former, own]);
      if ('settle' in answer) return answer;
      if (answer.result !== undefined) return this.#opened(key, answer.result);
      if (this.#clock.monotonic() - startedAt >= this.#waitMs) throw unfinished();
      await wait(this.#clock, pausesMs[Math.min(tries, pausesMs.length - 1)] ?? 0);
    }
  }

  /** The claim, for whichever of these owners gets it; or what its owner has left. */
  async #claim(key: string, owners: readonly string[]): Promise<LoginClaim | { result: string | undefined }> {
    let result: string | undefined;
    try {
      for (const owner of owners) {
        const answer = await this.#records.claimOnce(key, owner, loginLifeMs);
        if (answer.outcome === 'claimed') return { settle: (outcome) => this.#settle(key, owner, outcome) };
        result ??= answer.result;
      }
      return { result };
    } catch (error) {
      this.#unanswered.set(key, [...(this.#unanswered.get(key) ?? []), ...owners].slice(0, maxOwners));
      throw error;
    }
  }

  async #settle(key: string, owner: string, outcome: LoginOutcome): Promise<void> {
    await this.#records.settleClaim(key, owner, await this.#keys.seal(key, JSON.stringify(outcome)));
  }

  async #opened(key: string, sealed: string): Promise<LoginOutcome> {
    const text = await this.#keys.open(key, sealed);
    if (text === undefined) throw unfinished();
    return JSON.parse(text) as LoginOutcome;
  }
}

/** Most claims one process remembers; beyond that the oldest is forgotten. */
const maxRemembered = 10_000;

/** Claims of one process, for the strategy alone and for token stores without `claimOnce()`. */
export class ProcessClaims implements ClaimRecords {
  readonly #clock: Clock;
  readonly #claims = new BoundedMap<string, { owner: string; takenAt: number; result: string | undefined }>(
    maxRemembered,
  );

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  claimOnce(key: string, owner: string, lifeMs: number): ReturnType<ClaimRecords['claimOnce']> {
    const now = this.#clock.monotonic();
    // In order of insertion, so the outdated ones come first.
    for (const [old, { takenAt }] of this.#claims) {
      if (now - takenAt <= lifeMs) break;
      this.#claims.delete(old);
    }
    const claim = this.#claims.get(key);
    if (claim && claim.owner !== owner) return Promise.resolve({ outcome: 'taken', result: claim.result });
    if (!claim) this.#claims.set(key, { owner, takenAt: now, result: undefined });
    return Promise.resolve({ outcome: 'claimed' });
  }

  settleClaim(key: string, owner: string, result: string): Promise<void> {
    const claim = this.#claims.get(key);
    if (claim?.owner === owner) claim.result = result;
    return Promise.resolve();
  }
}

/** The request that has this login leaves no outcome: its process has died, or is slow. */
function unfinished(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_EXPIRED',
    'This callback was opened before, and what came of that is not known. Start the login again from the application.',
    { status: 403 },
  );
}
