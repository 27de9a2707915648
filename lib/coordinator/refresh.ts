import { randomBytes } from 'node:crypto';
import { debugRefresh } from '../debug';
import type { SalesforceAuthError } from '../errors';
import { clientChanged } from '../options/source';
import { isTrustedHost } from '../salesforce/hosts';
import type { ClaimOutcome, GrantRecord } from '../stores/store';
import { TokenClient } from '../token/client';
import { RequestHeldBack } from '../token/send-guard';
import { refreshTokenSet } from '../token/token-set';
import type { TokenSet } from '../token/types';
import { resolveAmbiguity } from './ambiguity';
import type { RefreshCause } from './events';
import { commit } from './commit';
import { loginRequired, closed, refreshDelayed, refreshHeld } from './failures';
import { giveBack, hasRefreshToken, isFresh, type Flight } from './flight';
import type { GrantReference } from './grant';
import type { GrantAccess, OpenGrant } from './grant-access';
import { Lease } from './lease';
import { giveBackForSure, revokeUnlessKept, settleForSure } from './leftovers';
import { LockWait } from './lock-wait';
import type { CoordinatorParts } from './settings';
import { endUnsuccessful, hold } from './unsuccessful';

/** Why a grant is to be refreshed, and what is known of it already. */
export interface RefreshReason {
  /** An access token Salesforce has refused, which is not good enough however fresh it looks. */
  rejected: string | undefined;
  cause: RefreshCause;
  /** The grant as the caller has just read it, which the refresh need not read again. */
  found: OpenGrant | undefined;
}

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
   * @returns tokens that are stored and usable, refreshed here or by somebody else
   * @throws SalesforceAuthError; only `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` means that the grant is over
   */
  async run(reference: GrantReference, reason: RefreshReason): Promise<TokenSet> {
    const lockWait = new LockWait(reference.grantId, this.#parts);
    try {
      return await this.#run(reference, reason, lockWait);
    } finally {
      lockWait.end();
    }
  }

  async #run(
    reference: GrantReference,
    { rejected, cause, found }: RefreshReason,
    lockWait: LockWait,
  ): Promise<TokenSet> {
    const { grantId } = reference;
    const { changes, clock, closing, settings, source, store } = this.#parts;
    for (let known = found; ; known = undefined) {
      if (closing.aborted) throw closed();
      // Where it is out of date already, the claim says so, and it is read again.
      const grant = known ?? (await this.#access.open(grantId));
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
        if (!(await this.#endWithoutRefreshToken(record, cause))) continue;
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
      const claim: ClaimOutcome = await this.#access
        .call(
          'claim',
          () => store.claim(grantId, { generation, version, owner, leaseMs }),
          (late) => giveBack(late, owner, store),
        )
        .catch((error: unknown) => {
          // The store may have marked the grant all the same, and nothing will be presented.
          giveBackForSure(record, owner, this.#parts, this.#access);
          throw error;
        });
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
          await changes.wait(grantId, Math.min(claim.record.leaseInMs, 25 + Math.random() * 75), closing);
          continue;
        case 'resolve':
        case 'claimed': {
          lockWait.end();
          const flight: Flight = { grantId, cause, owner, lease, record: claim.record, tokens, configuration, client };
          if (claim.outcome === 'resolve') {
            if (!(await resolveAmbiguity(flight, this.#parts, this.#access))) continue;
          } else if (!lease.isSure) {
            // Paused since the claim: by now somebody else may think this process dead.
            await this.#giveBack(flight);
            continue;
          }
          // Lost by the store, as by a replica that was promoted without it: what the record has may be spent.
          if (claim.outcome === 'claimed' && this.#access.hasSeenNewer(record)) {
            await hold(flight, 'ERR_SALESFORCE_TOKEN_STORE', clock.monotonic(), this.#parts, this.#access);
            continue;
          }
          const fresh = await this.#present(flight);
          if (fresh) return fresh;
        }
      }
    }
  }

  /** Marks a grant as over that cannot be refreshed, so that no session is taken for logged in because of it. */
  async #endWithoutRefreshToken({ grantId, generation, version }: GrantRecord, cause: RefreshCause): Promise<boolean> {
    const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';
    const flight = { generation, version, owner: '', backoffMs: 0, failed: false };
    const settlement = { ...flight, state: 'dead' as const, errorCode: code };
    const isOver = await this.#access.call('settle', () => this.#parts.store.settle(grantId, settlement));
    if (isOver) this.#parts.events.emit('refresh.lost', { grantId, cause, durationMs: 0, code });
    return isOver;
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
      try {
        const reply = await flight.client.refreshTokenGrant(tokens.refreshToken, flight.lease);
        refreshed = refreshTokenSet(tokens, reply, flight.configuration);
      } catch (error) {
        if (!(error instanceof RequestHeldBack)) {
          await endUnsuccessful(flight, error, startedAt, this.#parts, this.#access);
          return;
        }
        // Paused while the connection was made, for so long that somebody else may be presenting by now.
        await this.#giveBack(flight);
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
    if (outcome === 'moved') {
      await revokeUnlessKept(grantId, fresh, this.#parts, this.#access);
      return undefined;
    }
    await revocations.revoke(grantId, fresh);
    // Tells a logout that waits for this flight that nothing of it is left.
    await this.#giveBack(flight);
    throw loginRequired('The login has ended.');
  }

  /** Ends a claim under which nothing was presented, or whose grant is over. */
  #giveBack(flight: Flight): Promise<boolean> {
    return settleForSure(flight, { state: 'idle', backoffMs: 0, failed: false }, this.#parts, this.#access);
  }
}
