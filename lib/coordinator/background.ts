import { wait, type Clock } from '../clock';
import type { GrantRecord, ClaimRelease, TokenStore } from '../stores/store';
import type { TokenSet } from '../token/types';
import type { GrantCodec } from './codec';
import type { GrantAccess } from './grant-access';
import type { Revocations } from './revocation';
import type { GivenParts } from './parts';

/** Longest pause between looks at a store that does not answer. */
const longestPauseMs = 120_000;

/** How often such a store is asked; with the pauses, for a little more than a day. */
const maxLooks = 800;

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
      await this.#revocations.revoke(grantId, tokens, now?.tokens);
    };
    await look().catch(() => this.#goOn(look));
  }

  /** Revokes the spare tokens of a record that has other tokens by now. Tokens that cannot be read are not revoked. */
  async revokeSpare(record: GrantRecord): Promise<void> {
    const spare = await this.#codec.decodeSpare(record).catch(() => undefined);
    if (spare) await this.revokeUnlessKept(record.grantId, spare);
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
   * The store says what it made of the grant: a grant that was in doubt stays in doubt.
   */
  giveBack({ grantId, generation, version }: GrantRecord, owner: string): void {
    const ask = async (): Promise<void> => {
      const record = await this.#access.read(grantId);
      if (record?.generation !== generation || record.version !== version || record.state === 'ended') return;
      const state = record.state === 'inDoubt' ? 'inDoubt' : 'idle';
      const end = { state, backoffMs: 0, errorCode: record.errorCode, failed: false } as const;
      await this.#access.call('releaseClaim', () =>
        this.#store.releaseClaim(grantId, { generation, version, owner, ...end }),
      );
    };
    this.#revocations.track(ask().catch(() => this.#goOn(ask)));
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
