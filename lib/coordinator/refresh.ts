import { randomBytes } from 'node:crypto';
import { wait } from '../clock';
import { debugRefresh } from '../debug';
import type { SalesforceAuthError, SalesforceErrorCode } from '../errors';
import { isSalesforceAuthError } from '../errors';
import { clientChanged } from '../options/source';
import { isTrustedHost } from '../salesforce/hosts';
import type { ClaimOutcome, GrantRecord } from '../stores/store';
import { TokenClient } from '../token/client';
import { refreshTokenSet } from '../token/token-set';
import type { TokenSet } from '../token/types';
import { resolveAmbiguity } from './ambiguity';
import { askedForSeconds, dispositionOf } from './disposition';
import type { RefreshCause } from './events';
import { commit } from './commit';
import { loginRequired, closed, refreshDelayed, refreshHeld } from './failures';
import { giveBack, settle, type Flight, type FlightEnd } from './flight';
import type { GrantReference } from './grant';
import type { GrantAccess, OpenGrant } from './grant-access';
import { Lease } from './lease';
import { LockWait } from './lock-wait';
import { backoffMs, type CoordinatorParts } from './settings';

/**
 * Refreshes one grant: claim with a write-ahead mark, present, commit by version, and only then hand out.
 *
 * Runs apart from the requests that wait for it, so that a client that hangs up aborts nothing.
 */
export class Refresh {
  readonly #parts: CoordinatorParts;
  readonly #access: GrantAccess;

  constructor(parts: CoordinatorParts, access: GrantAccess) {
    this.#parts = parts;
    this.#access = access;
  }

  /**
   * @param rejected an access token Salesforce has refused, which is not good enough however fresh it looks
   * @returns tokens that are stored and usable, refreshed here or by somebody else
   * @throws SalesforceAuthError; only `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` means that the grant is over
   */
  async run(reference: GrantReference, rejected: string | undefined, cause: RefreshCause): Promise<TokenSet> {
    const lockWait = new LockWait(reference.grantId, this.#parts);
    try {
      return await this.#run(reference, rejected, cause, lockWait);
    } finally {
      lockWait.end();
    }
  }

  async #run(
    reference: GrantReference,
    rejected: string | undefined,
    cause: RefreshCause,
    lockWait: LockWait,
  ): Promise<TokenSet> {
    const { grantId } = reference;
    const { clock, closing, settings, source, store } = this.#parts;
    for (;;) {
      if (closing.aborted) throw closed();
      const grant = await this.#access.open(grantId);
      if (!grant || (reference.generation ?? grant.record.generation) !== grant.record.generation) {
        throw loginRequired('The login has ended.');
      }
      const { record, tokens } = grant;
      if (tokens.accessToken !== rejected && record.state !== 'dead' && isFresh(record)) {
        this.#access.remember(record, tokens);
        return tokens;
      }
      if (record.state === 'dead') throw loginRequired('Salesforce no longer accepts the refresh token.');
      if (!hasRefreshToken(tokens)) {
        await this.#endWithoutRefreshToken(record, cause);
        throw loginRequired('The access token has ended, and the scope refresh_token was not granted.');
      }
      // Everything slow or fallible comes before the claim; from there on each millisecond counts.
      const configuration = await source.resolveClient(tokens.clientID, { tenant: tokens.tenant });
      if (!isTrustedHost(new URL(tokens.baseUrl), configuration.trustedHosts)) {
        throw clientChanged();
      }
      const client = new TokenClient(configuration, tokens.baseUrl, clock);
      const { generation, version } = record;
      const owner = randomBytes(12).toString('base64url');
      const { leaseMs } = settings;
      const lease = new Lease(grantId, { generation, owner, leaseMs }, this.#parts, this.#access);
      const claim: ClaimOutcome = await this.#access.call(
        'claim',
        () => store.claim(grantId, { generation, version, owner, leaseMs }),
        (late) => giveBack(late, owner, store),
      );
      switch (claim.outcome) {
        case 'moved':
          continue;
        case 'gone':
          throw loginRequired('The login has ended.');
        case 'dead':
          throw loginRequired('Salesforce no longer accepts the refresh token.');
        case 'backoff':
          throw claim.record.state === 'ambiguous'
            ? refreshHeld(claim.record.backoffInMs)
            : refreshDelayed(claim.record.backoffInMs, claim.record.errorCode);
        case 'busy':
          lockWait.begin();
          await wait(clock, Math.min(claim.record.leaseInMs, 50 + Math.random() * 200), closing);
          continue;
        case 'resolve':
        case 'claimed': {
          lockWait.end();
          const flight: Flight = { grantId, cause, owner, lease, record: claim.record, tokens, configuration, client };
          if (claim.outcome === 'resolve') await resolveAmbiguity(flight, this.#parts, this.#access);
          else if (!lease.isSure) {
            // Paused since the claim: by now somebody else may think this process dead.
            await this.#settle(flight, { state: 'idle', backoffMs: 0, failed: false });
            continue;
          }
          // Lost by the store, as by a replica that was promoted without it: what the record has may be spent.
          if (claim.outcome === 'claimed' && this.#access.hasSeenNewer(record)) {
            await this.#hold(flight, 'ERR_SALESFORCE_TOKEN_STORE', clock.monotonic());
          }
          const fresh = await this.#present(flight);
          if (fresh) return fresh;
        }
      }
    }
  }

  /** Marks a grant as over that cannot be refreshed, so that no session is taken for logged in because of it. */
  async #endWithoutRefreshToken({ grantId, generation, version }: GrantRecord, cause: RefreshCause): Promise<void> {
    const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';
    const flight = { generation, version, owner: '', backoffMs: 0, failed: false };
    const settlement = { ...flight, state: 'dead' as const, errorCode: code };
    const isOver = await this.#access.call('settle', () => this.#parts.store.settle(grantId, settlement));
    if (isOver) this.#parts.events.emit('refresh.lost', { grantId, cause, durationMs: 0, code });
  }

  /** Presents the refresh token. Undefined where somebody else's tokens are to be adopted instead. */
  async #present(flight: Flight): Promise<TokenSet | undefined> {
    const { events, clock } = this.#parts;
    const { grantId, cause, tokens } = flight;
    const startedAt = clock.monotonic();
    flight.lease.keep();
    events.emit('refresh.start', { grantId, cause });
    try {
      let refreshed: { tokens: TokenSet; problem: SalesforceAuthError | undefined };
      const sending = { isHeldBack: false };
      try {
        const reply = await flight.client.refreshTokenGrant(tokens.refreshToken, () => {
          sending.isHeldBack = !flight.lease.isSure;
          return flight.lease.isSure;
        });
        refreshed = refreshTokenSet(tokens, reply, flight.configuration);
      } catch (error) {
        if (!sending.isHeldBack) {
          await this.#failed(flight, error, startedAt);
          return;
        }
        // Paused while the connection was made, for so long that somebody else may be presenting by now.
        await this.#settle(flight, { state: 'idle', backoffMs: 0, failed: false });
        events.emit('refresh.overtaken', { grantId, cause, durationMs: clock.monotonic() - startedAt, by: 'update' });
        return;
      }
      const outcome = await commit(flight, refreshed.tokens, this.#parts, this.#access);
      // Newer tokens that may well have come from these: they are adopted, and nothing is revoked.
      if (outcome === 'unclear') {
        events.emit('refresh.overtaken', { grantId, cause, durationMs: clock.monotonic() - startedAt, by: 'update' });
        return;
      }
      if (outcome !== 'committed') {
        await this.#overtaken(flight, refreshed.tokens, outcome, startedAt);
        return;
      }
      debugRefresh('%s refreshed', grantId);
      events.emit('refresh.success', {
        grantId,
        cause,
        durationMs: clock.monotonic() - startedAt,
        rotated: refreshed.tokens.refreshToken !== tokens.refreshToken,
      });
      if (refreshed.problem) throw refreshed.problem;
      return refreshed.tokens;
    } finally {
      flight.lease.stop();
    }
  }

  /** A logout or a new login came in between: what was just obtained belongs to nobody and is revoked. */
  async #overtaken(flight: Flight, fresh: TokenSet, outcome: 'moved' | 'gone', startedAt: number): Promise<undefined> {
    const { clock, events, revocations } = this.#parts;
    const { grantId, cause } = flight;
    const by = outcome === 'moved' ? 'update' : 'logout';
    events.emit('refresh.overtaken', { grantId, cause, durationMs: clock.monotonic() - startedAt, by });
    const kept = outcome === 'moved' ? (await this.#access.open(grantId).catch(() => undefined))?.tokens : undefined;
    await revocations.revoke(grantId, fresh, kept);
    if (outcome === 'moved') return undefined;
    // Tells a logout that waits for this flight that nothing of it is left.
    await this.#settle(flight, { state: 'idle', backoffMs: 0, failed: false });
    throw loginRequired('The login has ended.');
  }

  async #failed(flight: Flight, error: unknown, startedAt: number): Promise<undefined> {
    const { clock, events } = this.#parts;
    const { grantId, cause, record } = flight;
    const code = isSalesforceAuthError(error) ? error.code : undefined;
    const disposition = dispositionOf(error, flight);
    debugRefresh('%s not refreshed: %s (%s)', grantId, code, disposition);
    const news = { grantId, cause, durationMs: clock.monotonic() - startedAt };
    if (disposition === 'dead') {
      const now: OpenGrant | undefined = await this.#access.open(grantId).catch(() => undefined);
      // Somebody stored newer tokens meanwhile: the refusal was of tokens that are out of use.
      if (now && now.record.version !== record.version) {
        events.emit('refresh.overtaken', { ...news, by: 'update' });
        return undefined;
      }
      const isOver = await this.#settle(flight, { state: 'dead', backoffMs: 0, errorCode: code, failed: true });
      if (isOver) events.emit('refresh.lost', { ...news, code });
      else events.emit('refresh.overtaken', { ...news, by: 'logout' });
      throw loginRequired('Salesforce no longer accepts the refresh token.', error);
    }
    if (disposition === 'ambiguous') return this.#hold(flight, code, startedAt, error);
    const retryAfterSeconds = askedForSeconds(error);
    // A client or policy that is refused stays refused until a person changes it.
    const retryInMs = disposition === 'refused' ? backoffMs(5) : backoffMs(record.failures, retryAfterSeconds);
    await this.#settle(flight, { state: 'idle', backoffMs: retryInMs, errorCode: code, failed: true });
    events.emit('refresh.transient', { ...news, code, retryInMs });
    throw disposition === 'refused' ? (error as Error) : refreshDelayed(retryInMs, code, error);
  }

  /** Leaves a grant in doubt, to be looked into when whatever may be under way is over. */
  async #hold(
    flight: Flight,
    errorCode: SalesforceErrorCode | undefined,
    startedAt: number,
    error?: unknown,
  ): Promise<never> {
    const { clock, events, settings } = this.#parts;
    const { grantId, cause } = flight;
    await this.#settle(flight, { state: 'ambiguous', backoffMs: settings.drainMs, errorCode, failed: true });
    events.emit('refresh.held', { grantId, cause, durationMs: clock.monotonic() - startedAt, code: errorCode });
    throw refreshHeld(settings.drainMs, error);
  }

  /** Gives the claim back. Where the store does not answer, the lease ends by itself and the grant is in doubt, not lost. */
  #settle(flight: Flight, end: FlightEnd): Promise<boolean> {
    return settle(flight, end, this.#parts.store, this.#access).catch(() => false);
  }
}

function isFresh(record: GrantRecord): boolean {
  return (record.softInMs ?? 1) > 0 && (record.hardInMs ?? 1) > 0;
}

function hasRefreshToken(tokens: TokenSet): tokens is TokenSet & { refreshToken: string } {
  return tokens.refreshToken !== undefined;
}
