import { wait } from '../clock';
import type { GrantFilter, GrantLabels, GrantRecord, GrantWrite, LogOutOutcome } from '../stores/store';
import type { TokenSet } from '../token/types';
import { isUnreadable } from './codec';
import { Contention } from './contention';
import { randomName } from '../crypto/random-name';
import type { TokenCoordinator } from './coordinator';
import { storeFailed } from './failures';
import { grantIdOf, tokenLifeOf, type GrantOwner, type GrantKey } from './grant';
import { prove } from './proof';
import { GrantEnds } from './grant-ends';
import type { GivenParts } from './parts';
import { recordWith } from './written';

/** A session that uses a grant. It holds the grant for a time, since sessions end without notice. */
export interface GrantHolder {
  grantId: string;
  generation: string;
  /** Random name of the session among the holders of the grant. */
  holder: string;
}

/** How long a tombstone holds off a refresh that was under way at logout: longer than any request to Salesforce may take. */
export const tombstoneMs = 10 * 60 * 1000;

/** How long a store that did not answer may still carry out what it was asked. */
const longestAnswerMs = 10 * 60 * 1000;

/** From here on an answer of the store is slow, in milliseconds. */
const slowAnswerMs = 500;

/** How often a logout begins anew because the grant changed meanwhile. */
const maxTries = 10;

/** The life of grants from login to logout; between the two, {@link TokenCoordinator} keeps them fresh. */
export class Grants {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;
  readonly #idKey: string;
  readonly #ends: GrantEnds;
  /** Tokens whose write was not answered in time, until the write has ended. */
  readonly #unanswered = new WeakMap<TokenSet, Promise<void>>();

  /** @param idKey stable secret that hides whose grant an id is; empty for none */
  constructor(parts: GivenParts, coordinator: TokenCoordinator, idKey: string) {
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#idKey = idKey;
    this.#ends = new GrantEnds(parts, coordinator);
  }

  /** The id of a user's grant, whether or not there is one. */
  idOf(owner: GrantOwner): string {
    return grantIdOf(owner, this.#idKey);
  }

  /**
   * Stores the tokens of a login in the user's grant, which other sessions may hold already.
   *
   * The replaced tokens are revoked. If the new tokens can do less (no refresh token, or fewer scopes) and the grant can be
   * refreshed, the grant keeps its tokens and the new ones are revoked.
   *
   * Adopted tokens replace those of the grant only if they can do more, or if the grant has ended: a login is newer than a
   * refresh token that an application has kept.
   */
  async establish(
    tokens: TokenSet,
    { sessionTimeoutSeconds, holderMs }: { sessionTimeoutSeconds: number; holderMs: number },
    event: 'login.succeeded' | 'grant.adopted' = 'login.succeeded',
  ): Promise<GrantHolder> {
    const { events } = this.#parts;
    const grantId = this.idOf(tokens);
    const holder = randomName();
    const contention = new Contention(this.#parts.clock, this.#parts.settings.waitMs);
    do {
      const existing = await this.#openForLogin(grantId);
      // Another process has stored these very tokens, which may have been refreshed since.
      const isThere = existing?.tokens?.loginId !== undefined && existing.tokens.loginId === tokens.loginId;
      if (existing?.tokens && isThere) {
        const session = { grantId, generation: existing.record.generation, holder };
        if (await this.addHolder(session, holderMs)) return session;
        continue;
      }
      if (existing?.tokens && isHealthy(existing.record) && isKept(existing.tokens, tokens, event)) {
        const session = { grantId, generation: existing.record.generation, holder };
        if (!(await this.#addSpare(session, tokens, { holderMs, record: existing.record }))) continue;
        events.emit(event, { grantId, tokens: 'kept' });
        this.#parts.revocations.track(this.#coordinator.background.revokeSpare(existing.record));
        return session;
      }
      const generation = existing?.record.generation ?? randomName();
      const stored = { ...tokens, usedAt: this.#parts.clock.now() };
      const write: GrantWrite = {
        expected: existing ? { generation: existing.record.generation, version: existing.record.version } : null,
        generation,
        writer: randomName(),
        payload: await this.#parts.codec.encode(grantId, stored),
        labels: labelsOf(tokens),
        holder,
        holderMs,
        knownSpare: existing?.record.spare,
        ...tokenLifeOf(tokens, grantId, sessionTimeoutSeconds),
      };
      const askedAt = this.#parts.clock.monotonic();
      const written = await this.#written('put', this.#parts.store.put(grantId, write), { tokens, replaced: existing });
      if (written.outcome === 'conflict') continue;
      this.#prime(recordWith({ ...write, grantId, version: written.version }), stored, askedAt);
      if (existing?.tokens) this.#revokeReplaced(existing.record, existing.tokens, tokens);
      else if (existing) this.#parts.revocations.tellUnreadable(grantId);
      if (existing) this.#parts.revocations.track(this.#coordinator.background.revokeSpare(existing.record));
      events.emit(event, { grantId, tokens: existing ? 'replaced' : 'new' });
      return { grantId, generation, holder };
    } while (await contention.mayTryAgain());
    throw storeFailed('put', new Error('The grant kept changing.'));
  }

  /**
   * Keeps the tokens of a login in memory: the first page after it comes at once, and mostly to this process. A slow answer of the
   * store may be out of date, and is not kept.
   *
   * @param askedAt when the store was asked, on the monotonic clock
   */
  #prime(record: GrantRecord, tokens: TokenSet, askedAt: number): void {
    const { clock, settings } = this.#parts;
    const { access } = this.#coordinator;
    const isSlow = clock.monotonic() - askedAt > Math.min(slowAnswerMs, settings.cacheMs);
    if (isSlow || access.hasSeenNewer(record)) this.#coordinator.forget(record.grantId);
    else access.replace(record, tokens);
  }

  /**
   * Keeps the tokens of a poorer login beside those of the grant until these are proven. The browser does not wait for the
   * proof. False if the grant is logged out.
   */
  async #addSpare(
    { grantId, generation, holder }: GrantHolder,
    tokens: TokenSet,
    { holderMs, record }: { holderMs: number; record: GrantRecord },
  ): Promise<boolean> {
    const { codec, store, clock, revocations } = this.#parts;
    const coordinator = this.#coordinator;
    const spare = await codec.encode(grantId, { ...tokens, usedAt: clock.now() });
    const adding = store.addHolder(grantId, { generation, holder, holderMs, spare });
    const isAdded = await this.#written('addHolder', adding, { tokens, replaced: { record } });
    if (isAdded) {
      const proven = prove({ grantId, generation }, { coordinator, clock, revocations });
      revocations.track(proven.then(() => coordinator.background.revokeUnlessKept(grantId, tokens)));
    }
    return isAdded;
  }

  /** The outcome of a write of tokens. @throws SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE` */
  #written<T>(
    operation: 'put' | 'addHolder',
    writing: Promise<T>,
    { tokens, replaced }: { tokens: TokenSet; replaced: LoginGrant | undefined },
  ): Promise<T> {
    return this.#coordinator.access
      .call(operation, () => writing)
      .catch((error: unknown) => {
        this.#noteUnanswered(writing, tokens, replaced);
        throw error;
      });
  }

  /**
   * A failed write may still be carried out, so its tokens are not revoked before it has ended. The tokens and spare tokens that
   * it replaced are in no grant then, and have to be revoked.
   */
  #noteUnanswered(writing: Promise<unknown>, tokens: TokenSet, replaced: LoginGrant | undefined): void {
    const { clock, revocations } = this.#parts;
    const answered = writing.then(
      () => undefined,
      () => undefined,
    );
    const over = Promise.race([answered, wait(clock, longestAnswerMs, revocations.closing)]);
    this.#unanswered.set(tokens, over);
    if (!replaced) return;
    const { record, tokens: own } = replaced;
    if (own) revocations.track(over.then(() => this.discard(own)));
    revocations.track(over.then(() => this.#coordinator.background.revokeSpare(record)));
  }

  /** Revokes tokens that were not stored, unless the grant has them or may still get them. */
  async discard(tokens: TokenSet): Promise<void> {
    await this.#unanswered.get(tokens);
    await this.#coordinator.background.revokeUnlessKept(this.idOf(tokens), tokens);
  }

  /**
   * Revokes the tokens that a login replaced. An attempt that was refreshing them learns that it is superseded, and revokes
   * what it obtained. It gets the time of its claim; after that its process may have died.
   */
  #revokeReplaced({ grantId, leaseInMs }: GrantRecord, replaced: TokenSet, tokens: TokenSet): void {
    const { clock, revocations } = this.#parts;
    const claimOver = leaseInMs > 0 ? wait(clock, leaseInMs, revocations.closing) : Promise.resolve();
    revocations.track(claimOver.then(() => revocations.revoke(grantId, replaced, tokens)));
  }

  /** Adds a session to the holders of a grant, or extends its time. False if that grant is logged out. */
  async addHolder({ grantId, generation, holder }: GrantHolder, holderMs: number): Promise<boolean> {
    return this.#coordinator.access.call('addHolder', () =>
      this.#parts.store.addHolder(grantId, { generation, holder, holderMs }),
    );
  }

  /**
   * Logs a session out. The last holder, or `everywhere`, logs the grant out and revokes its tokens at Salesforce, whatever
   * is under way.
   */
  async logOut(session: GrantKey & { holder?: string | undefined }, everywhere: boolean): Promise<void> {
    await this.#logOut(session, everywhere, (ended) => {
      this.#parts.events.emit('grant.loggedOut', { grantId: session.grantId, ended });
    });
  }

  /**
   * Removes a session that is over or has a new login from the holders. No user logged out, so no event says so. Nobody asks for it
   * again, so it is tried until the store answers.
   *
   * @returns once it has been tried for the first time; it never rejects
   */
  async removeHolder(session: GrantHolder): Promise<void> {
    const remove = (): Promise<void> => this.#logOut(session, false, () => undefined);
    await remove().catch(() => {
      this.#coordinator.background.goOn(remove);
    });
  }

  /** Logs a grant without holders out, and revokes its tokens. If it has a holder by now, it stays. */
  async abandon(grant: GrantKey): Promise<void> {
    await this.#logOut(grant, false, () => undefined);
  }

  async #logOut(
    session: GrantKey & { holder?: string | undefined },
    everywhere: boolean,
    tell: (ended: boolean) => void,
  ): Promise<void> {
    // Only the record that was read is logged out, so its tokens can be revoked even if the store's answer is lost.
    for (let tries = 0; tries < maxTries; tries++) if (await this.#logOutRead(session, everywhere, tell)) return;
    throw storeFailed('logOut', new Error('The grant kept changing.'), false);
  }

  /** False if the grant got new tokens between the read and the logout. */
  async #logOutRead(
    session: GrantKey & { holder?: string | undefined },
    everywhere: boolean,
    tell: (ended: boolean) => void,
  ): Promise<boolean> {
    const { store } = this.#parts;
    const { access } = this.#coordinator;
    const { grantId, holder } = session;
    const before = await access.read(grantId);
    const generation = session.generation ?? before?.generation;
    if (generation === undefined) return true;
    const version = before?.version ?? null;
    // The tombstone comes first: from here on no attempt can store what it obtains.
    const endOnce = once((record: GrantRecord) => this.#ends.revoke(grantId, generation, record));
    const ended = async (outcome: LogOutOutcome): Promise<void> => {
      if (outcome.outcome === 'moved') return;
      // The grant was read alive a moment ago. A client of the store may have sent the logout twice, or another request was first.
      const wasAlive = before?.generation === generation && before.state !== 'loggedOut';
      const last = outcome.outcome === 'loggedOut' ? outcome.record : wasAlive ? before : undefined;
      const isEnded = outcome.outcome !== 'holderRemoved' && last !== undefined;
      tell(isEnded);
      if (outcome.outcome === 'holderRemoved') return;
      this.#coordinator.forget(grantId);
      // Revoking a token twice does no harm.
      if (isEnded) await this.#ends.inTime(endOnce(last));
    };
    // A late answer has logged the grant out all the same, and no other process revokes its tokens.
    const logOut = (): Promise<LogOutOutcome> =>
      store.logOut(grantId, { generation, version, holder, everywhere, tombstoneMs });
    const outcome = await access.call('logOut', logOut, ended).catch((error: unknown) => {
      // If no answer comes, the store may have logged the grant out as well, and will not return its tokens again.
      // A tombstone has no tokens to revoke; those are left to the logout that has seen them.
      const hadTokens = before?.generation === generation && before.state !== 'loggedOut';
      if (hadTokens) this.#coordinator.background.whenLoggedOut(before, () => endOnce(before));
      throw error;
    });
    await ended(outcome);
    return outcome.outcome !== 'moved';
  }

  /** Records that match, for administration. */
  list(filter: GrantFilter): AsyncIterable<GrantRecord> {
    return this.#coordinator.access.each('list', () => this.#parts.store.list(filter));
  }

  /** The grant that a login finds. A grant that cannot be decrypted is replaced: the user has just proven who they are. */
  async #openForLogin(grantId: string): Promise<LoginGrant | undefined> {
    const { access } = this.#coordinator;
    const record = await access.read(grantId);
    if (!record || record.state === 'loggedOut') return undefined;
    try {
      return { record, tokens: await access.tokensOf(record) };
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      return { record };
    }
  }
}

/** A grant as a login finds it; without tokens if they cannot be decrypted. */
interface LoginGrant {
  record: GrantRecord;
  tokens?: TokenSet;
}

/** Calls `act` the first time only. */
function once<T>(act: (value: T) => Promise<void>): (value: T) => Promise<void> {
  let acted: Promise<void> | undefined;
  return (value) => (acted ??= act(value));
}

function labelsOf({ organizationId, userId, clientID, tenant }: TokenSet): GrantLabels {
  return { organizationId, userId, clientID, ...(tenant === undefined ? {} : { tenant }) };
}

/** Whether a grant's refresh token is known to be good. */
function isHealthy({ state }: GrantRecord): boolean {
  return state === 'idle' || state === 'presenting';
}

/** Whether the tokens of a healthy grant stay. */
function isKept(existing: TokenSet, fresh: TokenSet, event: 'login.succeeded' | 'grant.adopted'): boolean {
  return event === 'grant.adopted' ? !isRicher(fresh, existing) : isRicher(existing, fresh);
}

/** Whether tokens at hand can do something the new ones cannot. */
function isRicher(existing: TokenSet, fresh: TokenSet): boolean {
  if (existing.refreshToken === undefined) return false;
  return fresh.refreshToken === undefined || existing.scope.some((scope) => !fresh.scope.includes(scope));
}
