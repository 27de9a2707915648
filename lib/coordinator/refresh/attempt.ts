import { isConfidential } from '../../client-authentication/client-authentication';
import { debugRefresh } from '../../debug';
import type { SalesforceAuthError, SalesforceErrorCode } from '../../errors';
import type { Configuration } from '../../options/configuration';
import type { GrantRecord } from '../../stores/store';
import { RequestHeldBack } from '../../token/send-guard';
import type { LeaveGate } from '../../token/host-gates';
import type { TokenSet } from '../../token/types';
import type { ClaimEnd } from '../background';
import type { RefreshCause } from '../events';
import { loggedOut, loginRequired, refreshDelayed, refreshInDoubt } from '../failures';
import type { RefreshDeps } from './deps';
import { answerOf } from './answer';
import { Commit } from './commit';
import type { Lease } from './lease';
import { codeOf, doubt, lookAgainMs, pauseOf, reasonOf, type Ending } from './ending';
import { Presentation, type Refreshed } from './presentation';
import { rowOf, type Answer, type RotationState, type Row } from './verdict';

/** From this number of failures on, the error page offers a login beside another try. */
const longTroubleMs = 60 * 60 * 1000;

/** The error for a grant in doubt after Salesforce was asked and did not tell. This time counts towards `inDoubtMs`. */
const notTold: SalesforceErrorCode = 'ERR_SALESFORCE_REFRESH_IN_DOUBT';

/** A claim of a grant, with everything that presenting its refresh token needs. */
export interface ClaimedGrant {
  cause: RefreshCause;
  /** Random name of the owner of the claim. */
  owner: string;
  lease: Lease;
  /** The grant as it was claimed. */
  record: GrantRecord;
  tokens: TokenSet;
  configuration: Configuration;
  /** The place of this claim among the requests to the token endpoint. */
  place: LeaveGate;
  /** Whether an earlier presentation was left without an answer. */
  isInDoubt: boolean;
}

/**
 * One attempt to refresh a grant, from its claim to its end: presents the refresh token, stores what comes, and leaves the
 * grant as the table of verdicts says.
 */
export class Attempt {
  readonly #grant: ClaimedGrant;
  readonly #deps: RefreshDeps;
  readonly #grantId: string;
  readonly #presentation: Presentation;
  #presentedAt: number | undefined;
  /** Whether an earlier lost answer is only presumed to have spent nothing. Such a doubt outlives an attempt that shows nothing. */
  #isPresumed = false;

  constructor(grant: ClaimedGrant, deps: RefreshDeps) {
    this.#grant = grant;
    this.#deps = deps;
    this.#grantId = grant.record.grantId;
    this.#presentation = new Presentation(grant.tokens, grant.configuration, deps.clock);
  }

  /**
   * @returns new tokens, stored; undefined if the grant has to be read again
   * @throws SalesforceAuthError that says what the request gets while its access token does not work
   */
  async run(): Promise<TokenSet | undefined> {
    const { lease, record, isInDoubt } = this.#grant;
    if (isInDoubt) {
      if (!(await this.#mayPresent())) return undefined;
    } else if (!lease.isSure) {
      // The process was paused after the claim, so another process may have taken over.
      await this.#releaseClaim();
      return undefined;
    } else if (this.#deps.access.hasSeenNewer(record)) {
      // The store has lost a write, for instance when a replica was promoted: the token in the record may be spent.
      return this.#end({ answer: 'lost', introspection: 'not asked yet' }, 'ERR_SALESFORCE_TOKEN_STORE');
    }
    return this.#present();
  }

  /** Finds out whether a refresh token was spent after its answer was lost, without presenting the token. */
  async #mayPresent(): Promise<boolean> {
    const { record, owner, lease, tokens } = this.#grant;
    const { settings, store, access } = this.#deps;
    // A request for an app token spends nothing, whenever it is carried out.
    const undrainedMs = tokens.app ? 0 : settings.drainMs - record.stateAgeMs;
    if (undrainedMs > 0) {
      // Salesforce may still carry out the lost request. An answer before that would say nothing.
      return this.#look({ answer: 'lost', introspection: 'not asked yet' }, undrainedMs);
    }
    let ending: Ending = { answer: 'lost', introspection: 'not asked yet' };
    if (this.#rowOf(ending).verdict === 'in doubt') ending = await this.#introspect('lost');
    const { verdict } = this.#rowOf(ending);
    debugRefresh('%s in doubt: introspection %s, %s', this.#grantId, ending.introspection, verdict);
    if (verdict === 'ended') {
      await this.#end(ending, record.errorCode as SalesforceErrorCode | undefined);
      return false;
    }
    if (verdict === 'in doubt') {
      // The last look is at the end of `inDoubtMs`, not a pause later.
      const leftMs = settings.inDoubtMs - this.#notToldMs;
      return this.#look(ending, leftMs > 0 ? Math.min(lookAgainMs, leftMs) : lookAgainMs);
    }
    this.#isPresumed = ending.introspection !== 'active';
    lease.restart();
    const arm = { generation: record.generation, owner, leaseMs: lease.storedMs };
    const isArmed = await access.call('arm', () => store.arm(this.#grantId, arm));
    if (!isArmed) throw refreshInDoubt(lookAgainMs);
    return true;
  }

  /** How long Salesforce has been asked without telling. */
  get #notToldMs(): number {
    const { errorCode, errorAgeMs } = this.#grant.record;
    return errorCode === notTold ? errorAgeMs : 0;
  }

  async #introspect(answer: Answer, error?: unknown): Promise<Ending> {
    const looked = await this.#presentation.introspect();
    const { tokens } = this.#grant;
    if (looked.error !== undefined) this.#deps.outages.noteLook(tokens, this.#grantId, answerOf(looked.error));
    return { answer, introspection: looked.said, error: error ?? looked.error };
  }

  /** Leaves a grant in doubt, or waiting for its turn, until the next look. @throws SalesforceAuthError */
  async #look(ending: Ending, pauseMs: number): Promise<never> {
    const { record, cause } = this.#grant;
    const { events } = this.#deps;
    const isFirst = ending.introspection === 'not asked yet';
    const code = isFirst ? record.errorCode : ending.introspection === 'does not tell' ? notTold : codeOf(ending.error);
    await this.#deps.background.releaseClaim(this.#claim, doubt(pauseMs, code));
    const { verdict } = this.#rowOf(ending);
    if (isFirst && verdict === 'in doubt') {
      // The doubt was left by a process that is gone. Later looks emit no event.
      events.emit('refresh.doubted', { grantId: this.#grantId, cause, durationMs: 0, code: undefined });
    }
    throw verdict === 'in doubt' ? refreshInDoubt(pauseMs, ending.error) : refreshDelayed(pauseMs, { reason: code });
  }

  /** Presents the refresh token. Undefined if the tokens of another process are used instead. */
  async #present(): Promise<TokenSet | undefined> {
    const { lease, tokens, cause } = this.#grant;
    lease.keep();
    this.#presentedAt = this.#deps.clock.monotonic();
    this.#deps.events.emit('refresh.started', { grantId: this.#grantId, cause });
    try {
      let refreshed: Refreshed;
      try {
        refreshed = await this.#presentation.send(lease, this.#grant.place).finally(this.#grant.place);
      } catch (error) {
        if (!(error instanceof RequestHeldBack)) {
          await this.#fail(error);
          return;
        }
        await this.#releaseClaim();
        this.#supersede('update');
        return undefined;
      }
      this.#deps.outages.note(tokens, this.#grantId, 'tokens');
      const isRotated = refreshed.tokens.refreshToken !== tokens.refreshToken;
      const rotation = this.#deps.rotation.learn(tokens, isRotated);
      const usedAt = cause === 'sweep' ? tokens.usedAt : this.#deps.clock.now();
      return await this.#store({ ...refreshed.tokens, rotation, ...(usedAt && { usedAt }) }, refreshed.problem);
    } finally {
      lease.stop();
    }
  }

  /** Stores new tokens before any request gets them. */
  async #store(fresh: TokenSet, problem: SalesforceAuthError | undefined): Promise<TokenSet | undefined> {
    const { record, tokens, cause, configuration } = this.#grant;
    const { events, background } = this.#deps;
    const outcome = await new Commit(record, fresh, this.#deps).run(configuration.sessionTimeoutSeconds);
    if (outcome === 'loggedOut') return this.#loggedOut(fresh);
    if (outcome !== 'committed') {
      this.#supersede('update');
      // The newer tokens may have been refreshed from these, so they are used, and nothing is revoked.
      if (outcome === 'moved') await background.revokeUnlessStored(this.#grantId, fresh);
      return undefined;
    }
    debugRefresh('%s refreshed', this.#grantId);
    const durationMs = this.#durationMs;
    const rotated = fresh.refreshToken !== tokens.refreshToken;
    events.emit('refresh.succeeded', { grantId: this.#grantId, cause, durationMs, rotated });
    // During an adoption the instance was not known before.
    const isKnown = tokens.organizationId !== '';
    if (isKnown && (fresh.baseUrl !== tokens.baseUrl || fresh.instanceUrl !== tokens.instanceUrl)) {
      events.emit('grant.moved', { grantId: this.#grantId, baseUrl: fresh.baseUrl, instanceUrl: fresh.instanceUrl });
    }
    // The grant's own tokens are proven now, so the spare tokens of a later, poorer login are not needed.
    if (record.spare !== undefined) this.#deps.revocations.track(background.revokeSpare(record));
    if (problem) throw problem;
    return fresh;
  }

  /** The user logged out meanwhile: the new tokens are revoked. */
  async #loggedOut(fresh: TokenSet): Promise<never> {
    this.#supersede('logout');
    await this.#deps.revocations.revoke(this.#grantId, fresh);
    // A logout waits for this attempt, and learns here that the attempt is over.
    await this.#releaseClaim();
    throw loggedOut();
  }

  /** Ends an attempt whose presentation failed. */
  async #fail(error: unknown): Promise<undefined> {
    const answer = answerOf(error);
    const { tokens, isInDoubt } = this.#grant;
    this.#deps.outages.note(tokens, this.#grantId, answer);
    debugRefresh('%s not refreshed: %s (%s)', this.#grantId, codeOf(error), answer);
    if (answer === 'known refusal' && isInDoubt && this.#rotation === 'off') {
      // An answer was lost while rotation was believed to be off. No other grant may rely on that now.
      this.#deps.rotation.note(tokens, 'unknown');
    }
    if (answer !== 'unknown refusal')
      return this.#end({ answer, introspection: 'not asked yet', error }, codeOf(error));
    // Salesforce has answered, so no request is under way, and introspection can be asked at once.
    return this.#end(await this.#introspect(answer, error), codeOf(error));
  }

  /** Leaves the grant as the table says, emits the event, and throws what the request gets. */
  async #end(ending: Ending, code: SalesforceErrorCode | undefined): Promise<undefined> {
    const { settings, background, events } = this.#deps;
    const { cause, record } = this.#grant;
    const row = this.#rowOf(ending);
    const news = { grantId: this.#grantId, cause, durationMs: this.#durationMs, code };
    if (row.grant === 'ended') {
      if (await this.#useSpare(ending)) {
        events.emit('refresh.ended', { ...news, code: ending.answer === 'lost' ? notTold : code });
        return undefined;
      }
      // By version, not by owner: Salesforce did not refuse newer tokens.
      const end = { state: 'ended', backoffMs: 0, errorCode: code, failed: true } as const;
      if (await background.releaseClaim(this.#claim, end)) {
        events.emit('refresh.ended', { ...news, code: ending.answer === 'lost' ? notTold : code });
        throw loginRequired(reasonOf(ending), ending.error);
      }
      if (await this.#wasOvertaken()) return undefined;
      // If the end cannot be stored, the next attempt finds it out again after the lease.
      events.emit('refresh.doubted', news);
      throw refreshInDoubt(settings.drainMs, ending.error);
    }
    const pauseMs = pauseOf(row, ending, { record, settings: this.#deps.settings });
    const isUnclear = row.grant === 'in doubt' || ending.answer === 'lost' || this.#isPresumed;
    const end: ClaimEnd = { ...doubt(pauseMs, code), state: isUnclear ? 'inDoubt' : 'idle' };
    if (!(await background.releaseClaim(this.#claim, end)) && (await this.#wasOvertaken())) return undefined;
    if (row.event === 'refresh.doubted') events.emit('refresh.doubted', news);
    else events.emit('refresh.failed', { ...news, verdict: row.verdict, retryInMs: pauseMs });
    if (row.request === '502') throw ending.error as Error;
    if (row.grant === 'in doubt') throw refreshInDoubt(pauseMs, ending.error);
    const isLong = record.errorCode === code && record.errorAgeMs >= longTroubleMs;
    throw refreshDelayed(pauseMs, { reason: code, cause: ending.error, offersLogin: isLong });
  }

  /** Replaces tokens that have ended with the spare tokens of a later, poorer login. False if there are none. */
  async #useSpare({ answer, introspection }: Ending): Promise<boolean> {
    const { record, tokens, configuration: client } = this.#grant;
    const spare = await this.#deps.codec.decodeSpare(record).catch(() => undefined);
    if (!spare) return false;
    const outcome = await new Commit(record, spare, this.#deps).run(client.sessionTimeoutSeconds, spare.usedAt);
    if (outcome !== 'committed') return false;
    // Salesforce did not say that the other tokens have ended: the time of doubt is over.
    const isOver = answer === 'known refusal' || introspection === 'inactive';
    const { revocations } = this.#deps;
    if (!isOver) revocations.track(revocations.revoke(this.#grantId, tokens));
    return true;
  }

  #rowOf({ answer, introspection }: Ending): Row {
    const { configuration } = this.#grant;
    const { onLostAnswer, inDoubtMs } = this.#deps.settings;
    const hasWaited = this.#notToldMs >= inDoubtMs;
    return rowOf({
      answer,
      introspection,
      rotation: this.#rotation,
      client: isConfidential(configuration) ? 'confidential' : 'public',
      patience: onLostAnswer === 'wait' && hasWaited ? 'waited' : onLostAnswer,
    });
  }

  get #rotation(): RotationState {
    return this.#deps.rotation.of(this.#grant);
  }

  /** How long ago the refresh token was presented; 0 if it was not. */
  get #durationMs(): number {
    return this.#presentedAt === undefined ? 0 : this.#deps.clock.monotonic() - this.#presentedAt;
  }

  get #claim(): { grantId: string; owner: string; record: GrantRecord } {
    return { grantId: this.#grantId, owner: this.#grant.owner, record: this.#grant.record };
  }

  /** Ends a claim under which nothing was presented, or whose grant is logged out. */
  async #releaseClaim(): Promise<void> {
    const state = this.#isPresumed ? 'inDoubt' : 'idle';
    const end = { state, backoffMs: 0, errorCode: this.#grant.record.errorCode, failed: false } as const;
    await this.#deps.background.releaseClaim(this.#claim, end);
  }

  #supersede(by: 'update' | 'logout'): void {
    const news = { grantId: this.#grantId, cause: this.#grant.cause, durationMs: this.#durationMs };
    this.#deps.events.emit('refresh.superseded', { ...news, by });
  }

  /** Whether a login, another refresh or a logout has replaced the presented token meanwhile. */
  async #wasOvertaken(): Promise<boolean> {
    const { record } = this.#grant;
    const now = await this.#deps.access.open(this.#grantId).catch(() => ({ record }));
    const isGone = now?.record.generation !== record.generation;
    if (!isGone && now.record.version === record.version) return false;
    this.#supersede(isGone ? 'logout' : 'update');
    return true;
  }
}
