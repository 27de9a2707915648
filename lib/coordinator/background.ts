import { BoundedMap } from '../bounded-map';
import { wait, type Clock } from '../clock';
import type { GrantRecord, ClaimRelease, TokenStore } from '../stores/store';
import type { TokenSet } from '../token/types';
import type { GrantCodec } from './codec';
import type { GrantAccess } from './grant-access';
import { digestOf } from './grant';
import { revocableOf, type Revocations } from './revocation';
import type { GivenParts } from './parts';

/** Longest pause between looks at a store that does not answer. */
const longestPauseMs = 120_000;

/** How often such a store is asked; with the pauses, for a little more than a day. */
const maxLooks = 800;

/** Most owners of one grant whose claims are given back. A claim of an older one has ended with its lease. */
const maxOwners = 50;

/** Most revoked tokens that are remembered. */
const maxRevoked = 1_000;

/** A claim to release. */
export interface OwnedClaim {
  grantId: string;
  owner: string;
  /** The grant as it was claimed. */
  record: GrantRecord;
}

/** The grant of a claim, and the version that was claimed. */
type GrantVersion = Pick<GrantRecord, 'grantId' | 'generation' | 'version'>;

/** How a claim ends that brought no new tokens. */
export type ClaimEnd = Pick<ClaimRelease, 'state' | 'backoffMs' | 'failed'> & { errorCode?: string | undefined };

/** The end of a claim that nothing was presented under: a grant that was in doubt stays in doubt. */
export function endWithoutUse({ state, errorCode }: GrantRecord): ClaimEnd & { errorCode: string | undefined } {
  return { state: state === 'inDoubt' ? 'inDoubt' : 'idle', backoffMs: 0, errorCode, failed: false };
}

/** What is finished in the background when the token store does not answer. */
export class Background {
  readonly #clock: Clock;
  readonly #store: TokenStore;
  readonly #revocations: Revocations;
  readonly #codec: GrantCodec;
  readonly #access: GrantAccess;
  /** Digests of tokens that this process has revoked. */
  readonly #revoked = new BoundedMap<string, true>(maxRevoked);
  /** Owners of claims to give back, by grant. */
  readonly #givenBack = new Map<string, { owners: BoundedMap<string, true>; ask: () => Promise<void> }>();
  /** What follows the logouts that the store did not confirm, by grant and generation. */
  readonly #unconfirmed = new Map<string, { end: () => Promise<void> }>();

  constructor(deps: Pick<GivenParts, 'clock' | 'store' | 'revocations' | 'codec'>, access: GrantAccess) {
    this.#clock = deps.clock;
    this.#store = deps.store;
    this.#revocations = deps.revocations;
    this.#codec = deps.codec;
    this.#access = access;
  }

  /**
   * Revokes tokens that will not be used, unless the grant has them, as its own or as spare tokens.
   *
   * A store that does not answer may have them, so nothing is revoked before the store answers. An unused token at Salesforce
   * is better than a user who is logged out. Resolves after the first look; further looks go on in the background.
   */
  async revokeUnlessKept(grantId: string, tokens: TokenSet): Promise<void> {
    const look = async (): Promise<void> => {
      const now = await this.#access.open(grantId);
      const spare = now && (await this.#codec.decodeSpare(now.record).catch(() => undefined));
      if ([now?.tokens, spare].some((kept) => kept && isSameLogin(kept, tokens))) return;
      await this.#revokeOnce(grantId, tokens);
    };
    await look().catch(() => this.goOn(look));
  }

  /** Revokes refreshed tokens that could not be stored. Those that the grant has by now may be of the same login. */
  async revokeUnlessStored(grantId: string, tokens: TokenSet): Promise<void> {
    const look = async (): Promise<void> => {
      const now = await this.#access.open(grantId);
      await this.#revocations.revoke(grantId, tokens, now?.tokens);
    };
    await look().catch(() => this.goOn(look));
  }

  /** Revokes the spare tokens of a record that has other tokens by now. */
  async revokeSpare(record: GrantRecord): Promise<void> {
    const { grantId } = record;
    try {
      const spare = await this.#codec.decodeSpare(record);
      if (spare) await this.revokeUnlessKept(grantId, spare);
    } catch (error) {
      const now = await this.#access.read(grantId).catch(() => record);
      if (now?.spare !== record.spare) this.#revocations.giveUp(grantId)(error);
    }
  }

  /** Two ways can lead to the same tokens. A second revocation does no harm, but would be reported as another one. */
  async #revokeOnce(grantId: string, tokens: TokenSet): Promise<void> {
    const key = digestOf(revocableOf(tokens));
    if (this.#revoked.has(key)) return;
    this.#revoked.set(key, true);
    await this.#revocations.revoke(grantId, tokens);
  }

  /**
   * Gives a claim back, and goes on trying if the store does not answer: a claim that is left behind puts the grant in doubt,
   * and a public client has no way to find out.
   *
   * @returns whether the store confirmed it
   */
  async releaseClaim({ grantId, owner, record }: OwnedClaim, end: ClaimEnd): Promise<boolean> {
    const { generation, version } = record;
    const release = { generation, version, owner, errorCode: undefined, ...end };
    const ask = (): Promise<boolean> =>
      this.#access.call('releaseClaim', () => this.#store.releaseClaim(grantId, release));
    try {
      return await ask();
    } catch {
      this.goOn(async () => {
        await ask();
      });
      return false;
    }
  }

  /**
   * Gives back a claim whose answer was lost, if it was made: nothing was presented under it.
   *
   * The store says what it made of the grant: a grant that was in doubt stays in doubt. However many claims of one grant fail,
   * the store is asked once at a time: a store that refuses each claim is in trouble already. It is asked at once for each new
   * owner, since the claim becomes a doubt when its lease ends.
   */
  giveBack({ grantId, generation, version }: GrantVersion, owner: string): void {
    const key = `${grantId} ${generation} ${version}`;
    const known = this.#givenBack.get(key);
    if (known) {
      known.owners.set(owner, true);
      void known.ask().catch(() => undefined);
      return;
    }
    const owners = new BoundedMap<string, true>(maxOwners).set(owner, true);
    const ask = oneAtATime(async () => {
      if (owners.size === 0) return;
      const record = await this.#access.read(grantId);
      const isOver = record?.generation !== generation || record.version !== version || record.state === 'ended';
      if (!isOver) {
        for (const [each] of owners) {
          const release = { generation, version, owner: each, ...endWithoutUse(record) };
          await this.#access.call('releaseClaim', () => this.#store.releaseClaim(grantId, release));
          owners.delete(each);
        }
      }
      owners.clear();
    });
    this.#givenBack.set(key, { owners, ask });
    const asking = ask().catch(() => this.#askUntilAnswered(ask));
    this.#revocations.track(asking.finally(() => void this.#givenBack.delete(key)));
  }

  /**
   * Calls `end` once the store says that a grant is logged out whose logout it did not confirm. However often a user tries, the
   * store is asked once at a time. The last logout has seen the newest tokens, so its `end` is called.
   */
  whenLoggedOut({ grantId, generation }: GrantRecord, end: () => Promise<void>): void {
    const key = `${grantId} ${generation}`;
    const known = this.#unconfirmed.get(key);
    if (known) {
      known.end = end;
      return;
    }
    const logout = { end };
    this.#unconfirmed.set(key, logout);
    const forget = (): void => {
      if (this.#unconfirmed.get(key) === logout) this.#unconfirmed.delete(key);
    };
    const asking = this.#askUntilAnswered(async () => {
      const { end: act } = logout;
      const now = await this.#access.read(grantId);
      if (logout.end !== act) throw new Error('The user has tried again since, so this answer is too old.');
      forget();
      if (now?.generation !== generation || now.state === 'loggedOut') await act();
    });
    this.#revocations.track(asking.finally(forget));
  }

  /** Asks until the store answers, or this process ends. */
  goOn(ask: () => Promise<void>): void {
    this.#revocations.track(this.#askUntilAnswered(ask));
  }

  async #askUntilAnswered(ask: () => Promise<void>): Promise<void> {
    let pauseMs = 1_000;
    for (let look = 0; look < maxLooks; look++) {
      await wait(this.#clock, pauseMs, this.#revocations.closing);
      try {
        await ask();
        return;
      } catch {
        if (this.#revocations.closing.aborted) return;
      }
      pauseMs = Math.min(pauseMs * 4, longestPauseMs);
    }
  }
}

/** Whether two sets of tokens come from one login. Tokens that were refreshed since have other values. */
function isSameLogin(kept: TokenSet, tokens: TokenSet): boolean {
  return kept.loginId === undefined ? revocableOf(kept) === revocableOf(tokens) : kept.loginId === tokens.loginId;
}

/** Calls share the run that is under way. */
function oneAtATime(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= run().finally(() => {
      running = undefined;
    }));
}
