import { BoundedMap } from '../bounded-map';
import { wait, type Clock } from '../clock';
import type { GrantRecord, ClaimRelease, TokenStore } from '../stores/store';
import type { TokenSet } from '../token/types';
import type { GrantCodec } from './codec';
import type { GrantAccess } from './grant-access';
import { revocableOf, type Revocations } from './revocation';
import type { GivenParts } from './parts';

/** Longest pause between looks at a store that does not answer. */
const longestPauseMs = 120_000;

/** How often such a store is asked; with the pauses, for a little more than a day. */
const maxLooks = 800;

/** Most owners of one grant whose claims are given back. A claim of an older one has ended with its lease. */
const maxOwners = 50;

/** Most logins with revoked spare tokens that are remembered. A second revocation does no harm. */
const maxRevokedSpares = 1_000;

/** A claim to release. */
export interface OwnedClaim {
  grantId: string;
  owner: string;
  /** The grant as it was claimed. */
  record: GrantRecord;
}

/** How a claim ends that brought no new tokens. */
export type ClaimEnd = Pick<ClaimRelease, 'state' | 'backoffMs' | 'failed'> & { errorCode?: string | undefined };

/** What is finished in the background when the token store does not answer. */
export class Background {
  readonly #clock: Clock;
  readonly #store: TokenStore;
  readonly #revocations: Revocations;
  readonly #codec: GrantCodec;
  readonly #access: GrantAccess;
  /** Logins whose spare tokens this process has revoked. */
  readonly #revokedSpares = new BoundedMap<string, true>(maxRevokedSpares);
  /** Owners of claims to give back, by grant. */
  readonly #givenBack = new Map<string, BoundedMap<string, true>>();

  constructor(deps: Pick<GivenParts, 'clock' | 'store' | 'revocations' | 'codec'>, access: GrantAccess) {
    this.#clock = deps.clock;
    this.#store = deps.store;
    this.#revocations = deps.revocations;
    this.#codec = deps.codec;
    this.#access = access;
  }

  /**
   * Revokes tokens that will not be used, unless the grant has them.
   *
   * A store that does not answer may have them, so nothing is revoked before the store answers. An unused token at Salesforce
   * is better than a user who is logged out. Resolves after the first look; further looks go on in the background.
   */
  async revokeUnlessKept(grantId: string, tokens: TokenSet): Promise<void> {
    const look = async (): Promise<void> => {
      const now = await this.#access.open(grantId);
      // The store may have put them beside the grant's own, and its answer was lost.
      const spare = now && (await this.#codec.decodeSpare(now.record).catch(() => undefined));
      if (spare && revocableOf(spare) === revocableOf(tokens)) return;
      await this.#revocations.revoke(grantId, tokens, now?.tokens);
    };
    await look().catch(() => this.#goOn(look));
  }

  /** Revokes the spare tokens of a record that has other tokens by now. Tokens that cannot be read are not revoked. */
  async revokeSpare(record: GrantRecord): Promise<void> {
    const spare = await this.#codec.decodeSpare(record).catch(() => undefined);
    if (!spare) return;
    if (spare.loginId !== undefined) this.#revokedSpares.set(spare.loginId, true);
    await this.revokeUnlessKept(record.grantId, spare);
  }

  /**
   * Revokes spare tokens that another poorer login at the same moment has replaced without knowing of them. They are neither in
   * the record, nor revoked as its spare tokens. Nothing is revoked before the store answers.
   */
  async revokeForgotten(grantId: string, tokens: TokenSet): Promise<void> {
    const { loginId } = tokens;
    const look = async (): Promise<void> => {
      if (loginId === undefined || this.#revokedSpares.has(loginId)) return;
      const now = await this.#access.open(grantId);
      const spare = now && (await this.#codec.decodeSpare(now.record));
      if (![now?.tokens, spare].some((kept) => kept?.loginId === loginId))
        await this.#revocations.revoke(grantId, tokens, now?.tokens);
    };
    await look().catch(() => this.#goOn(look));
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
      this.#goOn(async () => {
        await ask();
      });
      return false;
    }
  }

  /**
   * Gives back a claim whose answer was lost, if it was made: nothing was presented under it.
   *
   * The store says what it made of the grant: a grant that was in doubt stays in doubt. However many claims of one grant fail,
   * the store is asked for one of them at a time: a store that refuses each claim is in trouble already.
   */
  giveBack({ grantId, generation, version }: GrantRecord, owner: string): void {
    const key = `${grantId} ${generation} ${version}`;
    const known = this.#givenBack.get(key);
    if (known) {
      known.set(owner, true);
      return;
    }
    const owners = new BoundedMap<string, true>(maxOwners).set(owner, true);
    this.#givenBack.set(key, owners);
    const ask = async (): Promise<void> => {
      const record = await this.#access.read(grantId);
      const isOver = record?.generation !== generation || record.version !== version || record.state === 'ended';
      if (!isOver) {
        const state = record.state === 'inDoubt' ? 'inDoubt' : 'idle';
        const end = { state, backoffMs: 0, errorCode: record.errorCode, failed: false } as const;
        for (const [each] of owners) {
          const release = { generation, version, owner: each, ...end };
          await this.#access.call('releaseClaim', () => this.#store.releaseClaim(grantId, release));
          owners.delete(each);
        }
      }
      this.#givenBack.delete(key);
    };
    const giveUp = (): void => void this.#givenBack.delete(key);
    this.#revocations.track(ask().catch(() => this.#askUntilAnswered(ask).finally(giveUp)));
  }

  /** Calls `end` once the store says that a grant is logged out whose logout it did not confirm. */
  whenLoggedOut({ grantId, generation }: GrantRecord, end: () => Promise<void>): void {
    this.#goOn(async () => {
      const now = await this.#access.read(grantId);
      if (now?.generation !== generation || now.state === 'loggedOut') await end();
    });
  }

  /** Asks until the store answers, or this process ends. */
  #goOn(ask: () => Promise<void>): void {
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
