import { salesforceFetch } from '../../lib/client/fetch';
import type { GrantHolder } from '../../lib/coordinator/grants';
import type { LostAnswerPolicy } from '../../lib/coordinator/settings';
import { parseJsonObject } from '../../lib/json-object';
import { defaultRefreshSettings } from '../../lib/options/refresh';
import type { Grant } from '../../lib/emulator/state/grants';
import { isSalesforceAuthError, type SalesforceAuthOptions } from '../../lib';
import type { ClaimRelease, TokenStore } from '../../lib/stores/store';
import { TokenClient } from '../../lib/token/client';
import { toTokenSet } from '../../lib/token/token-set';
import type { TokenSet } from '../../lib/token/types';
import { collect } from '../helpers/collect';
import { ManualClock } from '../helpers/clock';
import type { IntrospectionFault, NetworkFault, Trouble } from './network';
import { Process } from './process';
import { callbackURL, origin, Salesforce, type Client } from './provider';
import type { StoreFault } from './store';

export interface Setting extends Client {
  processes: number;
  onLostAnswer: LostAnswerPolicy;
  /** Further options of each process. */
  options?: Partial<SalesforceAuthOptions>;
}

/** A store, and the clock it tells time by where that is virtual. */
export interface SharedStore {
  store: TokenStore;
  clock?: ManualClock;
  /** Waits for an answer of a real server. False if none is due. */
  answered?: () => Promise<boolean>;
}

/** How long a claim holds that is not renewed, under the defaults: half of `leaseMs` longer than `httpTimeoutMs`. */
export const claimMs = 37_500;

/** What an application may answer without its user being logged out. */
const forNow = [
  'ERR_SALESFORCE_TOKEN_STORE',
  'ERR_SALESFORCE_REFRESH_DELAYED',
  'ERR_SALESFORCE_REFRESH_IN_DOUBT',
  'ERR_SALESFORCE_REFRESH_DELAYED',
];

/** Processes, a store and Salesforce, in one virtual time, with everything that may go wrong between them. */
export class World {
  readonly salesforce: Salesforce;
  readonly store: TokenStore;
  readonly onLostAnswer: LostAnswerPolicy;
  readonly options: Partial<SalesforceAuthOptions>;
  readonly processes: Process[];
  readonly wallMs = Date.UTC(2026, 0, 1);
  /** Broken promises of the library. */
  readonly violations: string[] = [];
  /** Why users had to log in again. */
  readonly logins: string[] = [];
  readonly sessions: GrantHolder[] = [];
  /** What becomes of requests about refresh tokens while Salesforce is in trouble. */
  trouble: ((url: URL, form: URLSearchParams) => Trouble | undefined) | undefined;
  readonly #clock = new ManualClock(this.wallMs);
  readonly #storeClock: ManualClock | undefined;
  readonly #answered: () => Promise<boolean>;
  readonly #lost = new Map<Grant, string>();
  /** Whose request Salesforce answered last with new tokens of a grant. */
  readonly #carriers = new Map<Grant, Process>();
  readonly #ended = new Set<string>();
  readonly #pending = new Map<Promise<unknown>, Process>();
  readonly #killed: Process[] = [];
  #faults: NetworkFault[] = [];
  #introspectionFaults: IntrospectionFault[] = [];
  #storeFault: { fault: StoreFault; left: number } | undefined;
  #isInDoubt = false;

  constructor(setting: Setting, { store, clock, answered }: SharedStore) {
    this.salesforce = new Salesforce(setting);
    this.onLostAnswer = setting.onLostAnswer;
    this.options = setting.options ?? {};
    this.store = store;
    this.#storeClock = clock;
    this.#answered = answered ?? (() => Promise.resolve(false));
    this.processes = Array.from({ length: setting.processes }, () => new Process(this));
  }

  // What the network and the connections to the store ask.

  readonly after = (delayMs: number, then: () => void): void => {
    this.#clock.setTimer(delayMs, then);
  };

  takeFault(): NetworkFault | undefined {
    const fault = this.#faults.shift();
    if (fault !== undefined && fault !== 'refused' && !/429|503|slow|gone/.test(fault)) this.#isInDoubt = true;
    return fault;
  }

  takeStoreFault(): StoreFault | undefined {
    if (!this.#storeFault) return undefined;
    const { fault } = this.#storeFault;
    if (--this.#storeFault.left <= 0) this.#storeFault = undefined;
    return fault;
  }

  takeIntrospectionFault(): IntrospectionFault | undefined {
    const fault = this.#introspectionFaults.shift();
    if (fault !== undefined) this.#isInDoubt = true;
    return fault;
  }

  carries(process: Process, grant: Grant): void {
    this.#carriers.set(grant, process);
  }

  /** An administrator revokes everything; whoever is logged in has to log in again. */
  revoke(): void {
    const { grants } = this.salesforce.provider;
    for (const grant of this.salesforce.grants.keys()) this.lose(grant, 'revoked by an administrator');
    grants.revokeAll({});
  }

  /** Notes that tokens of a grant are known to nobody, for a reason that excuses it. */
  lose(grant: Grant, why: string): void {
    this.#lost.set(grant, why);
  }

  /** Spare tokens are those of a login. A logout that comes before the end of this login ends it, too. */
  loseSpare(spare: string | undefined): void {
    // A test can put tokens there that do not open.
    const refreshToken = parseJsonObject(spare ?? '')?.['refreshToken'];
    const grant = this.salesforce.provider.grants.grantOf(String(refreshToken));
    if (grant) this.lose(grant, 'logged out everywhere during the login');
  }

  ended(generation: string): void {
    this.#ended.add(generation);
  }

  /** Settles a grant, and judges an end: only what is over at Salesforce may be given up. */
  async releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    const before = await this.store.read(grantId);
    const isDone = await this.store.releaseClaim(grantId, release);
    if (isDone && release.state === 'ended' && before && before.state !== 'ended') {
      const excuse = this.#excuseFor(JSON.parse(before.payload) as TokenSet);
      if (excuse === undefined)
        this.violations.push('P4: a grant was given up that Salesforce still takes, or nobody lost');
      else this.logins.push(excuse);
      this.#ended.add(before.generation);
    }
    return isDone;
  }

  #excuseFor({ refreshToken }: TokenSet): string | undefined {
    const { grants } = this.salesforce.provider;
    if (refreshToken === undefined) return 'no refresh token was granted';
    const grant = grants.grantOf(refreshToken);
    if (grant && !grants.isRefreshTokenLive(refreshToken)) {
      const carrier = this.#carriers.get(grant);
      const longestMs = this.onLostAnswer === 'wait' ? defaultRefreshSettings.inDoubtMs : claimMs;
      const isAsleep = carrier?.isPaused === true && carrier.pausedMs >= longestMs;
      return this.#lost.get(grant) ?? (isAsleep ? 'a pause longer than grants are held' : undefined);
    }
    return this.salesforce.client.clientSecret === '' && this.#isInDoubt ? 'a public client cannot ask' : undefined;
  }

  /** Whatever Salesforce still takes and the store does not have is out of reach for good. */
  async orphan(): Promise<void> {
    const isKept = await this.#kept();
    for (const grant of this.salesforce.grants.keys()) {
      if (!isKept(grant) && this.salesforce.isLive(grant)) this.lose(grant, 'kill');
    }
  }

  /** Whether the store has the tokens of a grant. */
  async #kept(): Promise<(grant: Grant) => boolean> {
    const records = await collect(this.store.list());
    const stored = new Set(
      records
        .flatMap(({ payload, spare }) => (spare === undefined ? [payload] : [payload, spare]))
        .flatMap((tokens) => {
          const { refreshToken, accessToken } = JSON.parse(tokens) as TokenSet;
          return [refreshToken, accessToken];
        }),
    );
    return (grant) =>
      grant.refreshToken === undefined
        ? [...(this.salesforce.grants.get(grant) ?? [])].some((accessToken) => stored.has(accessToken))
        : stored.has(grant.refreshToken);
  }

  // What a schedule does.

  process(index: number): Process {
    return this.processes[index % this.processes.length]!;
  }

  session(index: number): GrantHolder | undefined {
    return this.sessions[index % this.sessions.length];
  }

  fail(fault: NetworkFault): void {
    this.#faults.push(fault);
  }

  /** For the process, so much time has passed at once: whatever it was waiting for has had no answer in time. */
  jumpMonotonic(index: number, byMs: number): void {
    this.process(index).clock.advanceMs(byMs);
    if (byMs >= claimMs) this.#isInDoubt = true;
  }

  failIntrospection(fault: IntrospectionFault): void {
    this.#introspectionFaults.push(fault);
  }

  failStore(fault: StoreFault, times: number): void {
    this.#storeFault = { fault, left: times };
  }

  request(process: Process, session: GrantHolder): Promise<number | undefined> {
    const { grantId, generation } = session;
    return this.#track(process, async () => {
      try {
        const key = { grantId, generation };
        return (await salesforceFetch(process.core.coordinator, key, '/services/data/v62.0/limits')).status;
      } catch (error) {
        await this.#judge(process, session, error);
        return undefined;
      }
    });
  }

  async #judge(process: Process, session: GrantHolder, error: unknown): Promise<void> {
    const code = isSalesforceAuthError(error) ? error.code : undefined;
    if (!process.isAlive || forNow.includes(code ?? '')) return;
    if (code !== 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED') {
      this.violations.push(`an error of another kind: ${String(error)}`);
      return;
    }
    if (!this.#ended.has(session.generation)) {
      const record = await this.store.read(session.grantId);
      const excuse =
        record?.generation === session.generation ? this.#excuseFor(JSON.parse(record.payload) as TokenSet) : undefined;
      if (excuse === undefined)
        this.violations.push(`P4: a user was logged out for nothing (${(error as Error).message})`);
    }
    // As the middleware does.
    this.#leave(session);
    await process.core.grants.removeHolder(session).catch(() => undefined);
  }

  login(process: Process, scope: string, who = 0): Promise<GrantHolder | undefined> {
    return this.#track(process, async () => {
      const { core } = process;
      const { code, codeVerifier } = this.salesforce.authorize(scope.split(' '), who);
      const configuration = await core.options.source.resolve({});
      const client = new TokenClient(configuration, origin, core.options.clock);
      const redirectURI = callbackURL;
      const reply = await client.authorizationCodeGrant({ code, codeVerifier, redirectURI }).catch(() => undefined);
      // A login that timed out; what it may have brought was lost on the way.
      if (!reply) return undefined;
      const tokens = toTokenSet(reply, configuration, origin);
      try {
        const hold = await core.grants.establish(tokens, {
          sessionTimeoutSeconds: configuration.sessionTimeoutSeconds,
          holderMs: 1e12,
        });
        this.sessions.push(hold);
        return hold;
      } catch (error) {
        await core.grants.discard(tokens);
        if (!isSalesforceAuthError(error)) throw error;
        return undefined;
      }
    });
  }

  logout(process: Process, session: GrantHolder, everywhere: boolean): Promise<void> {
    return this.#track(process, async () => {
      try {
        await process.core.grants.logOut(session, everywhere);
        this.#leave(session);
      } catch (error) {
        if (!isSalesforceAuthError(error)) throw error;
      }
    });
  }

  #leave(session: GrantHolder): void {
    const index = this.sessions.indexOf(session);
    if (index >= 0) this.sessions.splice(index, 1);
  }

  async kill(index: number): Promise<void> {
    const victim = this.process(index);
    victim.isAlive = false;
    this.#killed.push(victim);
    this.#isInDoubt = true;
    for (const [work, process] of this.#pending) if (process === victim) this.#pending.delete(work);
    this.processes[this.processes.indexOf(victim)] = new Process(this);
    await this.orphan();
  }

  #track<T>(process: Process, work: () => Promise<T>): Promise<T> {
    const tracked = process.run(work).finally(() => this.#pending.delete(tracked));
    this.#pending.set(tracked, process);
    tracked.catch((error: unknown) => this.violations.push(`an exception: ${String(error)}`));
    return tracked;
  }

  /** Lets time pass for everybody who is not paused, from one timer to the next. */
  async elapse(ms: number): Promise<void> {
    const salesforce = this.salesforce.provider.clock;
    for (let left = ms; ;) {
      await this.#breathe();
      const moving = this.processes.filter(({ isPaused }) => !isPaused);
      const clocks = [
        this.#clock,
        ...(this.#storeClock ? [this.#storeClock] : []),
        ...moving.map(({ clock }) => clock),
      ];
      const stepMs = Math.max(0, Math.min(left, ...clocks.map(({ nextInMs }) => nextInMs)));
      for (const clock of clocks) clock.advanceMs(stepMs);
      salesforce.advanceSeconds(stepMs / 1000);
      for (const process of this.processes) {
        if (!process.isPaused) continue;
        process.pausedMs += stepMs;
        // The others have to take it for dead, and itself it gives up what it was waiting for.
        if (process.pausedMs >= claimMs) this.#isInDoubt = true;
      }
      left -= stepMs;
      if (left <= 0 && !clocks.some(({ nextInMs }) => nextInMs <= 0)) break;
    }
    await this.#breathe();
  }

  /** All faults are over; the users that are logged in must be served, and those that are not must be able to log in. */
  async finish(): Promise<void> {
    this.#faults = [];
    this.#introspectionFaults = [];
    this.#storeFault = undefined;
    for (const process of this.processes) {
      process.pauseBefore = undefined;
      process.resume(true);
    }
    await this.elapse(600_000);
    if (this.#pending.size > 0) this.violations.push('a request or logout was never answered');
    for (const session of [...this.sessions]) await this.#mustBeServed(session);
    if (this.sessions.length === 0) {
      const login = this.login(this.process(0), 'id api refresh_token');
      await this.elapse(1_000);
      const session = await login;
      if (session) await this.#mustBeServed(session);
      if (!this.sessions.includes(session!)) this.violations.push('a new login does not work');
    }
    const { violations } = this.salesforce.provider.presentations;
    for (const { kind } of violations) this.violations.push(`P1: a refresh token was presented, ${kind}`);
    const isKept = await this.#kept();
    this.#mustBeDead('a login that was replaced', (grant) => !isKept(grant));
    const last = this.sessions[0];
    if (!last) return;
    await Promise.all([this.logout(this.process(1), last, true), this.elapse(300_000)]);
    this.#mustBeDead('a logout', () => true);
  }

  /**
   * Lets what killed processes had under way run into its time limits: all processes of a test are one, and the bound on
   * requests to a host is theirs together. They reach neither store nor Salesforce any more.
   */
  async bury(): Promise<void> {
    for (const { core } of this.#killed) void core.close().catch(() => undefined);
    for (let elapsedMs = 0; elapsedMs < 150_000 && this.#killed.length > 0; elapsedMs += 5_000) {
      for (const { clock } of this.#killed) clock.advanceMs(5_000);
      await this.#breathe();
    }
  }

  /** Lets everything happen that waits for no time. */
  async #breathe(): Promise<void> {
    do for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    while (await this.#answered());
  }

  async #mustBeServed(session: GrantHolder): Promise<void> {
    for (const process of this.processes) {
      for (let tries = 0; ; tries++) {
        if (!this.sessions.includes(session)) return;
        const answer = this.request(process, session);
        await this.elapse(1_000);
        // Nobody else has a claim. Only a store that breaks its contract lets a request wait for longer.
        if (this.#pending.size > 0) await this.elapse(60_000);
        if ((await answer) === 200) break;
        if (tries > 15) {
          this.violations.push('a user is not served though nothing is wrong any more');
          return;
        }
        await this.elapse(60_000);
      }
    }
  }

  #mustBeDead(what: string, which: (grant: Grant) => boolean): void {
    for (const grant of this.salesforce.grants.keys()) {
      if (which(grant) && !this.#lost.has(grant) && this.salesforce.isLive(grant)) {
        this.violations.push(`P7: tokens outlive ${what}`);
      }
    }
  }
}
