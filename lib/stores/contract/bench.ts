import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type {
  Claim,
  ClaimOutcome,
  GrantCommit,
  GrantLabels,
  GrantRecord,
  GrantWrite,
  LogOut,
  LogOutOutcome,
  ClaimRelease,
  TokenStore,
} from '../store';

/** A store with the handles a test needs. */
export interface StoreUnderTest {
  /** Empty, or with grants of other tests. */
  store: TokenStore;
  /**
   * Lets the store's own time pass without waiting: moves its clock on, or all the times it has stored back.
   * Tombstones that are due are gone afterwards.
   */
  elapse: (ms: number) => Promise<void> | void;
  /** Marks a stored record as one of another format, as a later version of this package would write. */
  setSchema?: (grantId: string, schema: number) => Promise<void> | void;
  /** Ends what the test has opened. */
  close?: () => Promise<void> | void;
}

/** What the suite needs of a test runner. */
export interface TestFunctions {
  /** Groups tests. */
  describe: (name: string, define: () => void) => unknown;
  /** Registers a test. */
  it: (name: string, run: () => Promise<void>) => unknown;
  /** Registers what is done before each test. */
  beforeEach: (run: () => Promise<void>) => unknown;
  /** Registers what is done after each test. */
  afterEach: (run: () => Promise<void>) => unknown;
}

/** Where a part of the suite registers its tests. */
export interface Part {
  describe: (name: string, define: () => void) => unknown;
  it: (sentence: string, run: (bench: Bench) => Promise<void>) => void;
}

/** Whatever a runner has made global; calling one it has not fails by name. */
export function globalTestFunctions(): TestFunctions {
  const found = globalThis as Partial<Record<keyof TestFunctions, (...given: never[]) => unknown>>;
  const pick = (name: keyof TestFunctions): ((...given: never[]) => unknown) =>
    found[name] ??
    (() => {
      throw new TypeError(`describeTokenStore(): there is no global ${name}(); pass the one of your test runner.`);
    });
  return {
    describe: pick('describe'),
    it: pick('it'),
    beforeEach: pick('beforeEach'),
    afterEach: pick('afterEach'),
  } as TestFunctions;
}

/** Longer than any test may take, so that nothing runs out unless a test lets time pass. */
export const leaseMs = 60_000;

/** What a session has after a login. */
export interface Login {
  generation: string;
  version: number;
  holder: string;
}

export function randomName(): string {
  return randomBytes(12).toString('base64url');
}

/** One store and one grant, with the arguments filled in that a test does not care about. */
export class Bench {
  readonly store: TokenStore;
  readonly elapse: StoreUnderTest['elapse'];
  readonly setSchema: StoreUnderTest['setSchema'];
  readonly grantId = randomName();
  readonly labels: GrantLabels = {
    organizationId: `00D${randomName()}`,
    userId: `005${randomName()}`,
    clientID: `3MVG9.${randomName()}`,
  };
  readonly #close: StoreUnderTest['close'];
  readonly toleranceMs: number;

  constructor({ store, elapse, setSchema, close }: StoreUnderTest, toleranceMs: number) {
    this.store = store;
    this.elapse = elapse;
    this.setSchema = setSchema;
    this.#close = close;
    this.toleranceMs = toleranceMs;
  }

  async close(): Promise<void> {
    await this.#close?.();
  }

  write(overrides: Partial<GrantWrite> = {}): GrantWrite {
    return {
      expected: null,
      generation: randomName(),
      writer: randomName(),
      payload: 'tokens of the login',
      labels: this.labels,
      holder: randomName(),
      holderMs: 3_600_000,
      softMs: 5_400_000,
      hardMs: 7_200_000,
      ...overrides,
    };
  }

  /** Puts a grant and insists that it is written. */
  async logIn(overrides: Partial<GrantWrite> = {}, grantId = this.grantId): Promise<Login> {
    const write = this.write(overrides);
    const written = await this.store.put(grantId, write);
    if (written.outcome !== 'written') assert.fail('The login was not written.');
    return { generation: write.generation, version: written.version, holder: write.holder };
  }

  async read(): Promise<GrantRecord> {
    const record = await this.store.read(this.grantId);
    assert(record, 'There is no record.');
    return record;
  }

  claim({ generation, version }: Login, overrides: Partial<Claim> = {}): Promise<ClaimOutcome> {
    return this.store.claim(this.grantId, { generation, version, owner: randomName(), leaseMs, ...overrides });
  }

  /** Claims and insists on the outcome; returns the owner. */
  async takeClaim(login: Login, outcome: ClaimOutcome['outcome'] = 'claimed'): Promise<string> {
    const owner = randomName();
    assert.equal((await this.claim(login, { owner })).outcome, outcome);
    return owner;
  }

  releaseClaim({ generation, version }: Login, owner: string, overrides: Partial<ClaimRelease> = {}): Promise<boolean> {
    const release: ClaimRelease = {
      generation,
      version,
      owner,
      state: 'idle',
      backoffMs: 0,
      errorCode: undefined,
      failed: false,
      ...overrides,
    };
    return this.store.releaseClaim(this.grantId, release);
  }

  commit({ generation, version }: Login, overrides: Partial<GrantCommit> = {}): ReturnType<TokenStore['commit']> {
    const commit = { generation, version, payload: 'refreshed tokens', softMs: 5_400_000, hardMs: 7_200_000 };
    return this.store.commit(this.grantId, { ...commit, ...overrides });
  }

  logOut({ generation, holder }: Login, overrides: Partial<LogOut> = {}): Promise<LogOutOutcome> {
    const logOut: LogOut = {
      ...{ generation, holder, version: null, everywhere: false, tombstoneMs: 600_000 },
      ...overrides,
    };
    return this.store.logOut(this.grantId, logOut);
  }

  /** Leaves the grant in doubt: claimed by one that died, and found so by `resolve`'s owner, who is returned. */
  async doubt(login: Login): Promise<{ dead: string; owner: string }> {
    const dead = await this.takeClaim(login);
    await this.elapse(leaseMs);
    return { dead, owner: await this.takeClaim(login, 'resolve') };
  }

  /** A time still to come, of which a little may have passed. */
  assertLeft(actualMs: number | null, expectedMs: number): void {
    assert(actualMs !== null, `null instead of ${expectedMs} ms`);
    this.#assertWithin(actualMs, expectedMs - this.toleranceMs, expectedMs);
  }

  /** A time gone by, to which a little may have been added. */
  assertAge(actualMs: number, expectedMs: number): void {
    this.#assertWithin(actualMs, expectedMs, expectedMs + this.toleranceMs);
  }

  /** Stores may count in whole milliseconds, hence one either way. */
  #assertWithin(actualMs: number, fromMs: number, toMs: number): void {
    assert(
      actualMs >= fromMs - 1 && actualMs <= toMs + 1,
      `${actualMs} ms instead of something from ${fromMs} to ${toMs} ms`,
    );
  }

  /** Nothing of the record has changed but what time changes. */
  async assertUnchanged(before: GrantRecord): Promise<void> {
    const after = await this.read();
    assert.deepEqual(lasting(after), lasting(before));
    assert(after.leaseInMs <= before.leaseInMs, 'The lease was extended.');
    assert(after.backoffInMs <= before.backoffInMs, 'The backoff was extended.');
    assert(after.stateAgeMs >= before.stateAgeMs, 'The state was entered anew.');
    assert((after.softInMs ?? 0) <= (before.softInMs ?? 0), 'softInMs was extended.');
    assert((after.hardInMs ?? 0) <= (before.hardInMs ?? 0), 'hardInMs was extended.');
  }
}

function lasting(record: GrantRecord): Partial<GrantRecord> {
  const {
    softInMs: _soft,
    hardInMs: _hard,
    leaseInMs: _lease,
    backoffInMs: _backoff,
    stateAgeMs: _age,
    errorAgeMs: _errorAge,
    tokensAgeMs: _tokensAge,
    ...rest
  } = record;
  return rest;
}

/** The record of an answer that has one. */
export function recordOf(answer: ClaimOutcome | LogOutOutcome): GrantRecord {
  assert('record' in answer, `The outcome ${answer.outcome} has no record.`);
  return answer.record;
}
