import { wait } from '../clock';
import { isSalesforceAuthError } from '../errors';
import type { GrantFilter, GrantLabels, GrantRecord, GrantWrite, ReleaseOutcome } from '../stores/store';
import type { TokenSet } from '../token/types';
import { Contention } from './contention';
import { randomName, type TokenCoordinator } from './coordinator';
import { storeFailed } from './failures';
import { grantIdOf, tokenLifeOf, type GrantOwner, type GrantReference } from './grant';
import { prove } from './proof';
import type { GivenParts } from './settings';

/** A session's hold on a grant: a lease, since sessions end without telling anybody. */
export interface SessionHold {
  grantId: string;
  generation: string;
  /** Random name of the hold. */
  reference: string;
}

/** How long a tombstone holds off whatever was in flight at logout: longer than any request to Salesforce may take. */
export const tombstoneMs = 10 * 60 * 1000;

/** How long a store that did not answer may still carry out what it was asked. */
const longestAnswerMs = 10 * 60 * 1000;

/** How often a logout begins anew because the grant changed meanwhile. */
const maxTries = 10;

/** How often a logout looks whether another process's flight has ended. */
const lookAgainMs = 100;

/** The life of grants from login to logout; between the two, {@link TokenCoordinator} keeps them fresh. */
export class Grants {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;
  readonly #idKey: string;
  /** Tokens whose write got no answer in time, until it is over. */
  readonly #unanswered = new WeakMap<TokenSet, Promise<void>>();

  /** @param idKey stable secret that hides whose grant an id is; empty for none */
  constructor(parts: GivenParts, coordinator: TokenCoordinator, idKey: string) {
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#idKey = idKey;
  }

  /** The id of a user's grant, whether or not there is one. */
  idOf(owner: GrantOwner): string {
    return grantIdOf(owner, this.#idKey);
  }

  /**
   * Stores the tokens of a login in the user's grant, which other sessions may hold already.
   *
   * The tokens replaced are revoked. Where the new ones could do less (no refresh token, or fewer scopes), those of the
   * grant stay instead if they can be refreshed, and the new ones are revoked.
   *
   * Tokens that are adopted replace those of the grant only if they can do more, or if those are over: a login is newer than
   * a refresh token that an application has kept.
   */
  async establish(
    tokens: TokenSet,
    sessionTimeoutSeconds: number,
    referenceMs: number,
    event: 'login.succeeded' | 'grant.adopted' = 'login.succeeded',
  ): Promise<SessionHold> {
    const { events } = this.#parts;
    const grantId = this.idOf(tokens);
    const reference = randomName();
    const contention = new Contention(this.#parts.clock, this.#parts.settings.waitMs);
    do {
      const existing = await this.#openForLogin(grantId);
      // Another process has stored these very tokens, which may have been refreshed since.
      const isThere = existing?.tokens?.loginId !== undefined && existing.tokens.loginId === tokens.loginId;
      if (existing?.tokens && (isThere || (isHealthy(existing.record) && isKept(existing.tokens, tokens, event)))) {
        const { generation } = existing.record;
        const held = await this.hold({ grantId, generation, reference }, referenceMs);
        if (!held) continue;
        const session = { grantId, generation, reference };
        if (isThere) return session;
        events.emit(event, { grantId, tokens: 'kept' });
        this.#prove(session, tokens, { sessionTimeoutSeconds, referenceMs });
        return session;
      }
      const generation = existing?.record.generation ?? randomName();
      const write: GrantWrite = {
        expected: existing ? { generation: existing.record.generation, version: existing.record.version } : null,
        generation,
        payload: await this.#parts.codec.encode(grantId, tokens),
        labels: labelsOf(tokens),
        reference,
        referenceMs,
        ...tokenLifeOf(tokens, grantId, sessionTimeoutSeconds),
      };
      const writing = this.#parts.store.put(grantId, write);
      const written = await this.#coordinator.access
        .call('put', () => writing)
        .catch((error: unknown) => {
          this.#noteUnanswered(writing, tokens, existing?.tokens);
          throw error;
        });
      if (written.outcome === 'conflict') continue;
      this.#coordinator.forget(grantId);
      if (existing?.tokens) this.#revokeReplaced(grantId, existing.tokens, tokens, existing.record.leaseInMs);
      events.emit(event, { grantId, tokens: existing ? 'replaced' : 'new' });
      return { grantId, generation, reference };
    } while (await contention.mayTryAgain());
    throw storeFailed('put', new Error('The grant kept changing.'));
  }

  /** Keeps the tokens of a poorer login until the grant's own are proven; the browser does not wait for that. */
  #prove(
    { grantId, generation, reference }: SessionHold,
    tokens: TokenSet,
    { sessionTimeoutSeconds, referenceMs }: { sessionTimeoutSeconds: number; referenceMs: number },
  ): void {
    const { codec, store, clock, revocations } = this.#parts;
    const coordinator = this.#coordinator;
    const replace = async (): Promise<void> => {
      const now = await coordinator.access.read(grantId);
      const write = {
        expected: { generation, version: now?.version ?? 0 },
        payload: await codec.encode(grantId, tokens),
        labels: labelsOf(tokens),
        ...{ generation, reference, referenceMs },
        ...tokenLifeOf(tokens, grantId, sessionTimeoutSeconds),
      };
      await coordinator.access.call('put', () => store.put(grantId, write));
      coordinator.forget(grantId);
    };
    revocations.track(prove({ grantId, generation }, { tokens, replace }, { coordinator, clock, revocations }));
  }

  /** A write that failed may have been carried out all the same, now or later; then what it replaced is nobody's. */
  #noteUnanswered(writing: Promise<unknown>, tokens: TokenSet, replaced: TokenSet | undefined): void {
    const { clock, revocations } = this.#parts;
    const answered = writing.then(
      () => undefined,
      () => undefined,
    );
    const over = Promise.race([answered, wait(clock, longestAnswerMs, revocations.closing)]);
    this.#unanswered.set(tokens, over);
    if (replaced) revocations.track(over.then(() => this.discard(replaced)));
  }

  /** Revokes tokens that came to nothing, unless the grant has them, or may still get them. */
  async discard(tokens: TokenSet): Promise<void> {
    await this.#unanswered.get(tokens);
    await this.#coordinator.background.revokeUnlessKept(this.idOf(tokens), tokens);
  }

  /**
   * Revokes the tokens a login replaced. A flight of them learns that it was overtaken, and revokes what it obtained; it is
   * given the time of its claim, after which its process may be dead.
   */
  #revokeReplaced(grantId: string, replaced: TokenSet, tokens: TokenSet, leaseInMs: number): void {
    const { clock, revocations } = this.#parts;
    const claimOver = leaseInMs > 0 ? wait(clock, leaseInMs, revocations.closing) : Promise.resolve();
    revocations.track(claimOver.then(() => revocations.revoke(grantId, replaced, tokens)));
  }

  /** Begins or extends a session's hold. False where that grant is gone. */
  async hold({ grantId, generation, reference }: SessionHold, referenceMs: number): Promise<boolean> {
    return this.#coordinator.access.call('reference', () =>
      this.#parts.store.reference(grantId, { generation, reference, referenceMs }),
    );
  }

  /**
   * Ends a session's hold; the last one, or `everywhere`, ends the grant and revokes its tokens at Salesforce, whatever is
   * in flight.
   */
  async release(hold: GrantReference & { reference?: string | undefined }, everywhere: boolean): Promise<void> {
    await this.#release(hold, everywhere, (ended) => {
      this.#parts.events.emit('grant.loggedOut', { grantId: hold.grantId, ended });
    });
  }

  /** Ends the hold of a session that is over or has a new login: nobody logged out, so nobody is told that somebody did. */
  async drop(hold: GrantReference & { reference: string }): Promise<void> {
    await this.#release(hold, false, () => undefined);
  }

  /** Ends a grant that no session holds, and revokes its tokens; where one has taken hold of it meanwhile, it stays. */
  async abandon(grant: GrantReference): Promise<void> {
    await this.#release(grant, false, () => undefined);
  }

  async #release(
    hold: GrantReference & { reference?: string | undefined },
    everywhere: boolean,
    tell: (ended: boolean) => void,
  ): Promise<void> {
    // What ends is what was read, so that it can be revoked even where the store's answer is lost.
    for (let tries = 0; tries < maxTries; tries++) if (await this.#releaseRead(hold, everywhere, tell)) return;
    throw storeFailed('release', new Error('The grant kept changing.'));
  }

  /** False where the grant got new tokens between the read and the release. */
  async #releaseRead(
    hold: GrantReference & { reference?: string | undefined },
    everywhere: boolean,
    tell: (ended: boolean) => void,
  ): Promise<boolean> {
    const { store } = this.#parts;
    const { access } = this.#coordinator;
    const { grantId, reference } = hold;
    const before = await access.read(grantId);
    const generation = hold.generation ?? before?.generation;
    if (generation === undefined) return true;
    const version = before?.version ?? null;
    // The tombstone comes first: from here on nothing in flight can store what it obtains.
    const endOnce = once((record: GrantRecord) => this.#end(grantId, generation, record));
    const ended = async (outcome: ReleaseOutcome): Promise<void> => {
      if (outcome.outcome === 'moved') return;
      tell(outcome.outcome === 'ended');
      if (outcome.outcome === 'released') return;
      this.#coordinator.forget(grantId);
      if (outcome.outcome === 'ended') await endOnce(outcome.record);
    };
    // A store that answers too late has ended the grant all the same, and nobody else will revoke its tokens.
    const release = (): Promise<ReleaseOutcome> =>
      store.release(grantId, { generation, version, reference, everywhere, tombstoneMs });
    const outcome = await access.call('release', release, ended).catch((error: unknown) => {
      // One that never answers may have ended it as well, and will not give its tokens away again.
      if (before?.generation === generation) this.#coordinator.background.whenLoggedOut(before, () => endOnce(before));
      throw error;
    });
    await ended(outcome);
    return outcome.outcome !== 'moved';
  }

  /** Records that match, for administration. */
  list(filter: GrantFilter): AsyncIterable<GrantRecord> {
    return this.#coordinator.access.each('list', () => this.#parts.store.list(filter));
  }

  async #end(grantId: string, generation: string, record: GrantRecord): Promise<void> {
    const { revocations, settings, codec } = this.#parts;
    const tokens = await codec.decode(record).catch(() => undefined);
    // A flight that comes home to the tombstone revokes what it brings; the old tokens are ours to revoke.
    if (record.leaseInMs > 0) {
      await this.#coordinator.settled(grantId, settings.waitMs);
      await this.#flightElsewhere(grantId, generation);
      if (tokens?.refreshToken !== undefined) await revocations.revokeValue(grantId, tokens, tokens.accessToken);
    }
    if (tokens) await revocations.revoke(grantId, tokens);
  }

  /** Waits, within limits, until no other process presents the grant's refresh token. */
  async #flightElsewhere(grantId: string, generation: string): Promise<void> {
    const { clock, settings } = this.#parts;
    const startedAt = clock.monotonic();
    while (clock.monotonic() - startedAt < settings.waitMs) {
      const record = await this.#coordinator.access.read(grantId).catch(() => undefined);
      if (record?.generation !== generation || record.leaseInMs === 0) return;
      await wait(clock, Math.min(lookAgainMs, record.leaseInMs));
    }
  }

  /** The grant a login meets. One that cannot be decrypted is replaced: the user is here and has just proven who it is. */
  async #openForLogin(grantId: string): Promise<{ record: GrantRecord; tokens?: TokenSet } | undefined> {
    try {
      return await this.#coordinator.access.open(grantId);
    } catch (error) {
      if (!isSalesforceAuthError(error) || error.code !== 'ERR_SALESFORCE_GRANT_UNREADABLE') throw error;
      const record = await this.#coordinator.access.read(grantId);
      return record && { record };
    }
  }
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
  return state === 'idle' || state === 'inflight';
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
