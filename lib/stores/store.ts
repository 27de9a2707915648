/**
 * Where grants are kept: one record for each organization, user and client, shared by that user's sessions, by every
 * process and by every machine.
 *
 * The contract in short. Each operation is atomic: it reads, decides and writes in one step, and no other operation comes
 * between. Durations go in and come out as milliseconds relative to the store's own clock, so that clocks of processes need
 * not agree. A store that cannot answer throws; it never answers "not found" instead, since that would log a user out.
 * Unknown schemas are refused and never deleted. The payload is opaque, and usually encrypted.
 */
export interface TokenStore {
  /** The record, or undefined if there never was one or its tombstone has expired. */
  read(grantId: string): Promise<GrantRecord | undefined>;

  /**
   * Creates or replaces a grant at login, if the record is still as expected.
   *
   * A client may send a write twice, as after a lost connection. The record remembers the names (`writer`) of its last eight writes,
   * and the versions that they wrote. So does a tombstone, and the grant that begins over it. The same write again changes nothing,
   * and is answered as the first time: a refresh, a logout or another login in between stays.
   *
   * @returns the version written, or `conflict`
   */
  put(grantId: string, write: GrantWrite): Promise<{ outcome: 'written'; version: number } | { outcome: 'conflict' }>;

  /**
   * Takes the right to present the refresh token, and marks that it is about to be presented, in one step and durably. If the
   * owner dies afterwards, the mark keeps other processes from presenting the token again.
   *
   * The owner that asks again while its lease runs gets the same outcome again, and nothing changes: a client may have sent the
   * call twice. An owner names one attempt, which presents once.
   */
  claim(grantId: string, claim: Claim): Promise<ClaimOutcome>;

  /** Extends a claim. False if the caller no longer has the claim. */
  renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean>;

  /**
   * Turns the claim of a grant in doubt into one that may present. False if the caller no longer has the claim.
   *
   * A client may send the call twice, as after a lost connection. While the lease runs, the owner of a claim that may present
   * already gets true again, and nothing changes: the lease is not extended. True does not say that nothing was presented since.
   * So an owner names one attempt, which calls this once and presents once.
   */
  arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean>;

  /**
   * Ends a claim that brought no new tokens. False if the caller no longer has the claim.
   *
   * The state `ended` depends on the version and not on the owner: the caller has learnt that the refresh token of this version
   * has ended.
   */
  releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean>;

  /**
   * Stores refreshed tokens, if generation and version are those they were refreshed from. The owner does not
   * matter: a process that was paused past its lease still has the only copy of a rotated token.
   *
   * If the record has these very tokens (the next version, the same payload), a client has sent the call twice. The answer is
   * `committed` again, and nothing changes.
   *
   * With `loggedOut` or `moved` (logged in again) nothing is stored, and the caller revokes its tokens.
   */
  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'>;

  /**
   * Adds a session to the holders of a grant, or extends its time. False if that generation is logged out.
   *
   * The holders of one grant are bounded (1,000, unless the store has an option). At the bound one more, of this
   * operation or of `put`, makes the store forget those that end soonest; holders that have ended do not count. A session
   * that was forgotten goes on, and extending its time adds it again. The grant remembers until when the forgotten ones would
   * have held it: until then, `logOut` of the last known holder leaves the grant alive.
   */
  addHolder(grantId: string, holder: SessionHolder): Promise<boolean>;

  /**
   * Removes a session from the holders. If no other is left, or `everywhere` is set, the record becomes a tombstone, which
   * keeps attempts that are under way from storing tokens. The last record comes back, so that its tokens can be revoked.
   */
  logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome>;

  /** Every record that is no tombstone, in no order; for look-up and administration. */
  list(filter?: GrantFilter): AsyncIterable<GrantRecord>;

  /**
   * Tells `listener` the ids of grants that change in any process: a released claim, new tokens, a logout. These are hints that
   * shorten waits, and nothing relies on them. A hint may come late, twice, or (while a connection is lost) never. This
   * method throws nothing and waits for nothing.
   *
   * Optional.
   *
   * @returns ends the subscription
   */
  subscribe?(listener: (grantId: string) => void): () => void;

  /**
   * Takes a few live grants that can be refreshed (with a soft bound, and not `ended`) and were not refreshed for `idleMs`.
   * Each grant goes to one caller, and is kept from other callers for `takenMs`. The option `keepAlive` needs this method.
   *
   * Optional.
   */
  takeIdle?(query: IdleQuery): AsyncIterable<IdleGrant>;

  /**
   * Replaces the sealed tokens by the same tokens, sealed with another key. Version, state and times stay, and no listener is
   * told. The store does this only if the record is as the caller has read it (generation, version, payload and spare
   * tokens), is `idle` or `ended`, and has no claim, since an attempt has to find what it has read.
   *
   * Optional. `salesforce.tokens.reseal()` needs it.
   *
   * @returns whether the texts were replaced
   */
  reseal?(grantId: string, reseal: Reseal): Promise<boolean>;

  /**
   * Takes a key for one owner. Among all callers of all processes, the first gets `claimed` and the others get `taken`. A login
   * callback takes its authorization code like this, since Salesforce must see a code once. Around an outage, processes tell
   * each other like this which tokens are in use.
   *
   * - The owner that asks again gets `claimed` again, because its reply may have been lost; once it has stored a result, it
   *   gets `taken` as all others do.
   * - A claim is never taken over, and asking again does not extend it. It ends `lifeMs` after it was taken, by the store's
   *   own clock. Then the key is free, and the store may forget it.
   * - A caller that waits for the result asks again, with an owner of its own.
   *
   * Optional, together with {@link TokenStore.resolveClaim}. A store for one process needs both as well.
   *
   * @param key any text of at most 500 characters; keys of claims and ids of grants are independent of each other
   * @param owner name of the caller, random unless any of several callers may have the key
   */
  claimOnce?(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome>;

  /**
   * Stores the result of a claim, for the callers that get `taken`. The store gives it for `keptMs`, and no longer than the
   * claim lives. The claim itself lives as long as before: the key is not free when the result has been forgotten.
   *
   * The owner may store a result again, which replaces the former one.
   *
   * @returns false if the claim has ended, or is of another owner; then nothing is stored
   */
  resolveClaim?(key: string, owner: string, resolution: ClaimResolution): Promise<boolean>;

  /**
   * Takes the function that warns the operator of trouble that no caller sees, such as a lost connection.
   * `salesforceAuth()` calls it at the start.
   *
   * Optional.
   */
  reportTo?(report: StoreReport): void;

  /** Ends timers and connections the store opened itself. Optional. */
  close?(): Promise<void> | void;

  /**
   * Looks for settings of the server that would lose tokens, for the doctor. It changes nothing, and its findings hold no
   * secret. It throws if the server does not answer.
   */
  diagnose?(circumstances: StoreCircumstances): Promise<StoreFinding[]>;
}

/** Warns the operator: a stable name of the cause, such as `STORE_NOTIFY`; what happened, and what to do. No secret. */
export type StoreReport = (code: string, message: string) => void;

/** Facts that a store cannot know by itself, as far as the caller knows them. */
export interface StoreCircumstances {
  /** How many processes run the application, on all machines together. */
  processes?: number | undefined;
  /** Whether Salesforce rotates refresh tokens. */
  rotation?: boolean | undefined;
}

/** Something a store found out about itself. */
export interface StoreFinding {
  /** Stable name, for instance `eviction`. */
  check: string;
  /** `error`: users will be logged out; `warning`: they may be one day; `unknown`: the server does not say. */
  level: 'ok' | 'unknown' | 'warning' | 'error';
  message: string;
  /** What to do about it. */
  fix?: string;
}

/**
 * - `idle`: no process presents the refresh token
 * - `presenting`: `owner` presents it, or may do so
 * - `inDoubt`: it was presented and the answer is not known; it may be spent
 * - `ended`: the refresh token has ended; only a login helps
 * - `loggedOut`: closed by the user or an operator; the record is a tombstone
 */
export type GrantState = 'idle' | 'presenting' | 'inDoubt' | 'ended' | 'loggedOut';

/** A grant as a store gives it. */
export interface GrantRecord {
  /** Version of this format; a record of another one is refused. */
  schema: 2;
  grantId: string;
  /** Random; new whenever a grant begins anew after a logout. A session of an older generation is logged out. */
  generation: string;
  /** Grows with each change of tokens. */
  version: number;
  state: GrantState;
  /** The tokens, sealed; empty in a tombstone. */
  payload: string;
  labels: GrantLabels;
  /** Milliseconds until the tokens should be refreshed; negative if past, null if never. */
  softInMs: number | null;
  /** Milliseconds until the tokens count as expired; negative if past, null if never. */
  hardInMs: number | null;
  /** Milliseconds left of the current claim; 0 without a claim. */
  leaseInMs: number;
  /** Milliseconds until the next try is allowed, for all processes; 0 for now. */
  backoffInMs: number;
  /** Milliseconds since the state was entered. */
  stateAgeMs: number;
  /** Failed tries in a row. */
  failures: number;
  /** Why the state is what it is, an error code of this package. */
  errorCode: string | undefined;
  /** Milliseconds since this error code was stored first, without another one in between; 0 if there is none. */
  errorAgeMs: number;
  /** Milliseconds since these tokens were stored. */
  tokensAgeMs: number;
  /** Digest of the access token, if Salesforce's API has refused it; undefined for none. New tokens clear it. */
  refused: string | undefined;
  /**
   * Sealed tokens of a later login that can do less than the grant's own; undefined for none. They stay until the grant's own
   * tokens have been refreshed, and replace these if Salesforce refuses these. New tokens clear the spare tokens that their
   * writer knew. A logout clears all.
   */
  spare: string | undefined;
}

/** What a grant can be looked up by, kept beside the sealed payload. */
export interface GrantLabels {
  organizationId: string;
  userId: string;
  clientID: string;
  tenant?: string;
}

/**
 * - `claimed`: the key is the caller's, and what it stands for has not been done yet
 * - `taken`: another caller has it, or had it; `result` is what it stored, undefined before it has done so and after the
 *   result's time is over
 */
export type OneTimeClaimOutcome = { outcome: 'claimed' } | { outcome: 'taken'; result: string | undefined };

/** The outcome of what a claim stands for. */
export interface ClaimResolution {
  /** Opaque, and usually encrypted. */
  result: string;
  /** How long other callers get it. */
  keptMs: number;
}

/** Selects grants; an absent member selects all. */
export type GrantFilter = Partial<GrantLabels>;

/** Which grants count as idle. */
export interface IdleQuery {
  /** How long since their tokens were stored. */
  idleMs: number;
  /** How long taken grants are kept from other callers. */
  takenMs: number;
}

/** A grant that was not refreshed for a while. */
export interface IdleGrant {
  grantId: string;
  generation: string;
  /** Milliseconds since the last holder's time ended; 0 while there is a holder. */
  unheldMs: number;
}

/** Staleness of new tokens, relative to now. */
export interface Staleness {
  softMs: number | null;
  hardMs: number | null;
}

/** A session among the holders of a grant. */
export interface SessionHolder {
  generation: string;
  /** Random name of the session among the holders. */
  holder: string;
  /** How long it holds the grant without being extended. */
  holderMs: number;
  /** Sealed tokens that `addHolder` puts beside the grant's own, in the place of earlier ones; undefined leaves those. */
  spare?: string | undefined;
}

export interface GrantWrite extends Staleness, Omit<SessionHolder, 'spare'> {
  /** What the caller read: the record's generation and version, or null for none or a tombstone. */
  expected: { generation: string; version: number } | null;
  /** Random name of this write, by which the store knows it again. */
  writer: string;
  payload: string;
  labels: GrantLabels;
  /** Spare tokens the caller has read, which the new tokens clear; others stay. */
  knownSpare?: string | undefined;
}

/** The request of a process that wants to present the refresh token. */
export interface Claim {
  generation: string;
  /** The version the caller read; a claim of an older one fails. */
  version: number;
  /** Random name of the attempt. */
  owner: string;
  leaseMs: number;
  /**
   * Digest of this version's access token, if Salesforce's API has refused it. The record keeps it, whatever comes of the
   * claim, unless the answer is `moved` or `loggedOut`. Other processes are told.
   */
  refused?: string | undefined;
}

/**
 * - `claimed`: present the refresh token now
 * - `resolve`: the grant is in doubt, and the caller alone may find out what happened
 * - `busy`: another attempt has the claim; the record says for how long
 * - `backoff`: too soon after a failure
 * - `moved`: the record has newer tokens than the caller knew
 * - `ended`, `loggedOut`: see {@link GrantState}; `loggedOut` also if there is no record of this generation
 */
export type ClaimOutcome =
  | { outcome: 'claimed' | 'resolve' | 'busy' | 'backoff' | 'moved' | 'ended'; record: GrantRecord }
  | { outcome: 'loggedOut' };

/** How an attempt ended that brought no new tokens. */
export interface ClaimRelease {
  generation: string;
  version: number;
  owner: string;
  state: 'idle' | 'inDoubt' | 'ended';
  /** Time before the next try, for all processes. */
  backoffMs: number;
  errorCode: string | undefined;
  /** Whether the try counts as a failure in a row. */
  failed: boolean;
}

export interface GrantCommit extends Staleness {
  generation: string;
  version: number;
  payload: string;
  /** Spare tokens the caller has read, which the new tokens clear; others stay. */
  knownSpare?: string | undefined;
}

/** The sealed texts of a record as they were read, and those in their place. */
export interface Reseal {
  generation: string;
  version: number;
  from: Pick<GrantRecord, 'payload' | 'spare'>;
  /** Spare tokens if and only if `from` has some. */
  to: Pick<GrantRecord, 'payload' | 'spare'>;
}

/** What a logout ends: one session, or the grant for all of its holders. */
export interface LogOut {
  generation: string;
  /**
   * The version the caller read; a grant that has newer tokens is not logged out. Null logs it out whatever it has. So the
   * caller knows which tokens to revoke even if the answer is lost.
   */
  version: number | null;
  /** Undefined for no session. */
  holder: string | undefined;
  everywhere: boolean;
  /** How long the tombstone stays: longer than any attempt may be under way. */
  tombstoneMs: number;
}

/**
 * - `holderRemoved`: other sessions still hold the grant
 * - `loggedOut`: the grant is a tombstone now; `record` is the last one
 * - `moved`: it has newer tokens than the caller knew; nothing was changed
 * - `alreadyLoggedOut`: there is no grant of this generation, or a tombstone
 */
export type LogOutOutcome =
  { outcome: 'holderRemoved' | 'moved' | 'alreadyLoggedOut' } | { outcome: 'loggedOut'; record: GrantRecord };
