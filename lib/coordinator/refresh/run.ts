import { atMost, wait } from '../../clock';
import { clientChanged } from '../../options/source';
import { isSalesforceAuthError } from '../../errors';
import { isTrustedHost } from '../../salesforce/hosts';
import { TokenClient } from '../../token/client';
import { loadLibraries } from '../../token/transport';
import type { LeaveGate } from '../../token/host-gates';
import { randomName } from '../../crypto/random-name';
import type { Configuration } from '../../options/configuration';
import type { GrantRecord } from '../../stores/store';
import type { TokenSet } from '../../token/types';
import type { RefreshCause } from '../events';
import { closed, loggedOut, loginRequired, refreshDelayed, refreshInDoubt, refreshPending } from '../failures';
import { digestOf, isRenewable, type GrantKey } from '../grant';
import type { OpenGrant } from '../grant-access';
import type { RefreshDeps } from './deps';
import { Attempt } from './attempt';
import { askForClaim, returnClaim } from './claim';
import { ClaimWait } from './claim-wait';
import { Lease } from './lease';

/** How often a run begins anew because the grant has changed. */
const maxTurns = 20;

/** How long a run waits for the claims of other processes, in milliseconds. */
const longestWaitMs = 10 * 60 * 1000;

/** The message for a request whose grant waits for its turn. */
const notItsTurnMs = 5_000;

const noRefreshToken = 'The scope refresh_token was not granted, so there is no other access token.';

/** Whether a refresh begins because the access token has ended, or was refused. */
function isAboutAnEnd(cause: RefreshCause): boolean {
  return cause === 'hard' || cause === 'rejected';
}

/** Why a grant is to be refreshed, and what is known of it already. */
export interface RefreshReason {
  /** An access token that is not good enough however fresh it looks; with the cause `rejected` Salesforce has refused it. */
  rejected: string | undefined;
  cause: RefreshCause;
  /** The grant as the caller has just read it, which the run need not read again. */
  found: OpenGrant | undefined;
  /** The grant as this process remembers it, at rest. It may be out of date. */
  remembered?: OpenGrant | undefined;
}

/**
 * One run of a refresh: reads the grant, claims it, and lets an {@link Attempt} present its refresh token, until there are
 * tokens or an error.
 *
 * No request owns the run, so a client that hangs up aborts nothing.
 */
export class RefreshRun {
  readonly #key: GrantKey;
  readonly #reason: RefreshReason;
  readonly #deps: RefreshDeps;
  readonly #claimWait: ClaimWait;
  readonly #startedAt: number;

  constructor(key: GrantKey, reason: RefreshReason, deps: RefreshDeps) {
    this.#key = key;
    this.#reason = reason;
    this.#deps = deps;
    this.#claimWait = new ClaimWait(key.grantId, deps);
    this.#startedAt = deps.clock.monotonic();
  }

  /**
   * @returns tokens that are stored and usable, refreshed here or by another process; `moved` if the store has other tokens than
   *   this process remembers, which are in the cache now
   * @throws SalesforceAuthError; only `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` means that the grant has ended
   */
  async tokens(): Promise<TokenSet | 'moved'> {
    if (this.#deps.closing.aborted) throw closed();
    try {
      const { remembered } = this.#reason;
      const claimed = remembered && (await this.#claimRemembered(remembered));
      if (claimed && claimed !== 'busy') return claimed;
      let known = this.#reason.found;
      for (let turn = 0; turn < maxTurns;) {
        const tokens = await this.#turn(known);
        known = undefined;
        if (tokens === 'busy') continue;
        if (tokens) return tokens;
        // Reads of this store lag behind its writes: wait before the next read.
        if (turn > 0) await wait(this.#deps.clock, 25 * turn);
        turn += 1;
      }
      throw refreshPending(this.#deps.clock.monotonic() - this.#startedAt);
    } finally {
      this.#claimWait.end();
    }
  }

  async #turn(known: OpenGrant | undefined): Promise<Turn> {
    const { access, closing } = this.#deps;
    const { rejected } = this.#reason;
    const { grantId, generation } = this.#key;
    if (closing.aborted) throw closed();
    // If the record is out of date already, the claim says so, and the run reads it again.
    const grant = known ?? (await access.open(grantId));
    if (!grant || (generation ?? grant.record.generation) !== grant.record.generation) {
      throw loggedOut();
    }
    const { record, tokens } = grant;
    if (
      tokens.accessToken !== rejected &&
      record.refused === undefined &&
      record.state !== 'ended' &&
      isFresh(record)
    ) {
      access.remember(record, tokens);
      return tokens;
    }
    if (this.#isNews(record)) {
      // The request is judged by these tokens, which may work.
      access.remember(record, tokens);
      return 'moved';
    }
    if (record.state === 'ended') return this.#ended(grant);
    // This run has asked for the claim before, so a refused token is recorded.
    if (this.#claimWait.isOn && record.leaseInMs > 0) return this.#waitFor(record);
    // The access token may work, and there is no other one.
    if (!isRenewable(tokens) && !isAboutAnEnd(this.#reason.cause)) throw loginRequired(noRefreshToken);
    const configuration = isRenewable(tokens) ? await this.#configurationOf(tokens) : undefined;
    const { rotation } = this.#deps;
    if (!rotation.needsProof(grant)) return this.#claimWithPlace(grant, configuration);
    const other = rotation.firstOf(tokens);
    if (other) {
      await other;
      if (rotation.needsProof(grant)) throw refreshDelayed(notItsTurnMs, { reason: record.errorCode });
      return undefined;
    }
    const first = rotation.goFirst(tokens);
    try {
      return await this.#goFirst(grant, configuration);
    } finally {
      first.end();
    }
  }

  /** Presents as the first one of all processes, or learns from the one that does. */
  async #goFirst(grant: OpenGrant, configuration: Configuration | undefined): Promise<Turn> {
    const { rotation, turn } = this.#deps;
    const { record, tokens } = grant;
    const whose = await turn.take(tokens);
    if (whose === 'learnt') return undefined;
    if (whose === 'not ours') throw refreshDelayed(notItsTurnMs, { reason: record.errorCode });
    try {
      return await this.#claimWithPlace(grant, configuration);
    } finally {
      // An attempt that failed for now has shown nothing, and this process keeps the turn.
      if (!rotation.needsProof(grant)) await turn.tell(tokens, rotation.of(grant));
    }
  }

  /** The grant has ended. The refusal of its access token is recorded all the same. */
  async #ended(grant: OpenGrant): Promise<undefined> {
    const refused = this.#refusedOf(grant);
    if (refused !== undefined && grant.record.refused !== refused) {
      const asked = { owner: randomName(), leaseMs: this.#deps.settings.leaseMs, refused };
      const { outcome } = await askForClaim(grant.record, asked, this.#deps);
      if (outcome === 'moved') return undefined;
    }
    throw loginRequired('Salesforce no longer accepts the refresh token.');
  }

  #isNews({ generation, version }: GrantRecord): boolean {
    const known = this.#reason.remembered?.record;
    return known !== undefined && (known.generation !== generation || known.version !== version);
  }

  /** What is slow or can fail comes before the claim, since the lease runs from the claim on. */
  async #configurationOf({ clientID, tenant, baseUrl }: TokenSet): Promise<Configuration> {
    const configuration = await this.#deps.source.resolveClient(clientID, { tenant });
    if (!isTrustedHost(new URL(baseUrl), configuration.trustedHosts)) throw clientChanged();
    await loadLibraries();
    return configuration;
  }

  #refusedOf({ tokens }: OpenGrant): string | undefined {
    const { cause, rejected } = this.#reason;
    return cause === 'rejected' && tokens.accessToken === rejected ? digestOf(rejected) : undefined;
  }

  /**
   * Claims the grant as this process remembers it, which saves a read: the claim shows whether the store has other tokens. Nothing
   * is waited for, and nothing fails, that another process may have made needless. Undefined if the grant has to be looked at.
   */
  async #claimRemembered(grant: OpenGrant): Promise<Turn> {
    const { tokens } = grant;
    const configuration = await this.#configurationOf(tokens).catch(() => undefined);
    const place = configuration && new TokenClient(configuration, tokens.baseUrl, this.#deps.clock).freePlace();
    return place && this.#claim(grant, { configuration, place }).finally(place);
  }

  /** Takes a place among the requests to the host before the claim: a lease is too short for that wait. */
  async #claimWithPlace(grant: OpenGrant, configuration: Configuration | undefined): Promise<Turn> {
    const { backoffInMs, leaseInMs } = grant.record;
    // Otherwise this run presents nothing now, and the store says how long to wait.
    const hasTurn = backoffInMs === 0 && leaseInMs === 0;
    const place = configuration && hasTurn ? await this.#takePlace(grant, configuration) : undefined;
    try {
      return await this.#claim(grant, configuration && { configuration, place });
    } finally {
      place?.();
    }
  }

  /** @throws SalesforceAuthError `ERR_SALESFORCE_REFRESH_DELAYED` if there is none for as long as a request may take */
  async #takePlace({ record, tokens }: OpenGrant, configuration: Configuration): Promise<LeaveGate> {
    const { clock, closing, events } = this.#deps;
    try {
      return await new TokenClient(configuration, tokens.baseUrl, clock).takePlace(closing);
    } catch (error) {
      if (!isSalesforceAuthError(error)) throw closed();
      const { grantId } = record;
      const news = { grantId, cause: this.#reason.cause, durationMs: 0, code: error.code };
      events.emit('refresh.failed', { ...news, verdict: 'not delivered', retryInMs: notItsTurnMs });
      throw refreshDelayed(notItsTurnMs, { reason: error.code, cause: error });
    }
  }

  async #claim(grant: OpenGrant, client: Client | undefined): Promise<Turn> {
    const { access, settings } = this.#deps;
    const { leaseMs } = settings;
    const { grantId, generation } = grant.record;
    const owner = randomName();
    const requestMs = client?.place ? client.configuration.httpTimeoutMs : 0;
    const lease = new Lease({ grantId, generation, owner, leaseMs, requestMs }, this.#deps);
    const asked = { owner, leaseMs: lease.storedMs, refused: this.#refusedOf(grant) };
    const claim = await askForClaim(grant.record, asked, this.#deps);
    if (claim.outcome === 'loggedOut') {
      // A job takes the grant of any login, and there may have been another one.
      if (this.#key.generation === undefined) return undefined;
      throw loggedOut();
    }
    const { record } = claim;
    const isRemembered = grant === this.#reason.remembered;
    const tokens = isRemembered && claim.outcome === 'moved' ? await access.tokensOf(record) : grant.tokens;
    // The next request does not rely on what this one has found to be out of date.
    const isKept = isRemembered && claim.outcome !== 'claimed' && access.rememberClaim(grant, record, tokens);
    switch (claim.outcome) {
      case 'moved':
        return isKept ? 'moved' : undefined;
      case 'ended':
        throw loginRequired('Salesforce no longer accepts the refresh token.');
      case 'backoff':
        throw this.#tooSoon({ record, tokens });
      case 'busy':
        client?.place?.();
        return this.#waitFor(record);
      case 'resolve':
      case 'claimed': {
        this.#claimWait.end();
        if (!isRenewable(tokens) || !client) return this.#endWithoutRefreshToken(record, owner);
        const { configuration, place } = client;
        // Which grant in doubt presents first is decided before a claim.
        const isNewDoubt = claim.outcome === 'resolve' && grant.record.state === 'idle';
        if (!place || isNewDoubt) {
          await returnClaim(record, owner, this.#deps);
          return undefined;
        }
        const { cause } = this.#reason;
        const isInDoubt = claim.outcome === 'resolve';
        const given = { cause, owner, lease, record, tokens, configuration, place, isInDoubt };
        const attempt = new Attempt(given, this.#deps).run();
        // A process that has nothing else to do ends after the attempt, or after as long as `close()` would wait for the attempt.
        void atMost(this.#deps.clock, settings.closeTimeoutMs, attempt);
        return attempt;
      }
    }
  }

  #tooSoon(grant: OpenGrant): Error {
    const { record } = grant;
    const { backoffInMs, errorCode, errorAgeMs } = record;
    const isInDoubt = record.state === 'inDoubt' && this.#deps.rotation.of(grant) !== 'off';
    const offersLogin = errorAgeMs >= 60 * 60 * 1000;
    return isInDoubt ? refreshInDoubt(backoffInMs) : refreshDelayed(backoffInMs, { reason: errorCode, offersLogin });
  }

  async #waitFor({ leaseInMs }: GrantRecord): Promise<'busy'> {
    const { changes, clock, closing } = this.#deps;
    const waitedMs = clock.monotonic() - this.#startedAt;
    if (waitedMs > longestWaitMs) throw refreshPending(waitedMs);
    this.#claimWait.begin();
    await changes.wait(this.#key.grantId, Math.min(leaseInMs, 12.5 + Math.random() * 37.5), closing);
    return 'busy';
  }

  /** Marks a grant that cannot be refreshed as ended, so that its sessions no longer count as logged in. */
  async #endWithoutRefreshToken(record: GrantRecord, owner: string): Promise<undefined> {
    const { background, events } = this.#deps;
    const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';
    const { grantId } = record;
    const end = { state: 'ended', backoffMs: 0, errorCode: code, failed: false } as const;
    if (!(await background.releaseClaim({ grantId, owner, record }, end))) return undefined;
    events.emit('refresh.ended', { grantId, cause: this.#reason.cause, durationMs: 0, code });
    throw loginRequired(`The access token has ended. ${noRefreshToken}`);
  }
}

/** Undefined if the grant has changed and is to be read again, `busy` if another process has claimed it. */
type Turn = TokenSet | 'busy' | 'moved' | undefined;

/** What a refresh token is presented with; the place is missing if no turn was expected. */
interface Client {
  configuration: Configuration;
  place: LeaveGate | undefined;
}

function isFresh({ softInMs, hardInMs }: GrantRecord): boolean {
  return (softInMs ?? 1) > 0 && (hardInMs ?? 1) > 0;
}
