import { BoundedMap } from '../bounded-map';
import { atMost, unlessAborted, wait, type CancelTimer, type Clock } from '../clock';
import { debugRefresh } from '../debug';
import { isSalesforceAuthError, requiresLogin } from '../errors';
import { keyOfClient } from '../options/configuration';
import { nearEndOf, type KeepAliveSettings } from '../options/keep-alive';
import type { GrantRecord, IdleGrant } from '../stores/store';
import type { TokenCoordinator } from './coordinator';
import { closed, loggedOut } from './failures';
import type { OpenGrant } from './grant-access';
import type { Grants } from './grants';
import type { GivenParts } from './parts';
import type { Answer } from './refresh/verdict';
import type { RefreshSettings } from './settings';

const dayMs = 24 * 60 * 60 * 1000;

/** Pause between two grants of a round, in milliseconds, give or take half, to keep the load on Salesforce low. */
const pauseMs = 1_000;

/** Failures in a row that end a round, since the cause is then not the grant. */
const toleratedFailures = 3;

/** How many grants with a reported end are remembered. */
const maxTold = 10_000;

/** Errors that the next grant would probably meet as well, unless Salesforce or a host refused this one. */
const general = [
  'ERR_SALESFORCE_REFRESH_DELAYED',
  'ERR_SALESFORCE_REFRESH_IN_DOUBT',
  'ERR_SALESFORCE_NOT_LOADED',
  'ERR_SALESFORCE_TOKEN_STORE',
];

/** What comes of a refresh while Salesforce is in trouble, or the way to it. */
const outages: readonly Answer[] = ['not carried out', 'not sent', 'lost'];

/**
 * Whether the cause of a failure is not the grant. A text that nobody knows, or a host that is gone, can last for ever: a few such
 * grants must not keep all others from their turn.
 */
async function isGeneral(error: unknown): Promise<boolean> {
  if (!isSalesforceAuthError(error) || !general.includes(error.code)) return false;
  if (error.cause === undefined) return true;
  const { answerOf } = await import('./refresh/answer');
  return outages.includes(answerOf(error.cause));
}

/** What a round has learnt of clients: whether they are configured here. */
type Owners = Map<string, Promise<boolean>>;

type Outcome = 'refreshed' | 'ended' | 'failed' | 'unused';

/** When Salesforce ends an unused refresh token; undefined without a limit, or without a refresh token that works. */
export function idleUntilOf(
  record: GrantRecord,
  { idleLimitMs }: Pick<RefreshSettings, 'idleLimitMs'>,
  clock: Clock,
): Date | undefined {
  const { state, softInMs, tokensAgeMs } = record;
  const canBeRefreshed = state !== 'ended' && state !== 'loggedOut' && softInMs !== null;
  if (idleLimitMs === undefined || !canBeRefreshed || !isOfUser(record)) return undefined;
  return new Date(clock.now() - tokensAgeMs + idleLimitMs);
}

/** App tokens have no refresh token that could end unused. A record of an adoption is refreshed by its adoption alone. */
function isOfUser({ labels }: GrantRecord): boolean {
  return labels.userId !== '';
}

/** Where the grants are that are kept alive. */
interface KeptAlive {
  coordinator: TokenCoordinator;
  grants: Grants;
}

/**
 * Refreshes a grant for a job that needs the grant later, unless that was done in the last 24 hours, or in the first half of a
 * shorter limit.
 *
 * @throws SalesforceAuthError if it is over, or cannot be refreshed for now
 */
export async function keepAlive(
  coordinator: TokenCoordinator,
  grantId: string,
  { idleLimitMs = Infinity }: Pick<RefreshSettings, 'idleLimitMs'>,
): Promise<GrantRecord> {
  const { record, tokens } = await readOf(coordinator, grantId);
  const isNew = record.tokensAgeMs < Math.min(dayMs, idleLimitMs / 2);
  if (record.state !== 'ended' && tokens.refreshToken !== undefined && isNew) return record;
  const { generation } = record;
  await coordinator.refresh({ grantId, generation }, 'sweep');
  return (await readOf(coordinator, grantId)).record;
}

async function readOf(coordinator: TokenCoordinator, grantId: string): Promise<OpenGrant> {
  const grant = await coordinator.access.open(grantId);
  if (!grant) throw loggedOut();
  return grant;
}

/**
 * Refreshes grants that no request uses, one after the other, before Salesforce lets them end: by default those that a session
 * holds and that were used lately. Processes share the work: the store gives each grant to one of them.
 */
export class KeepAlive {
  readonly #parts: GivenParts;
  readonly #coordinator: TokenCoordinator;
  readonly #grants: Grants;
  readonly #settings: KeepAliveSettings;
  readonly #closing = new AbortController();
  /** The day on which the near end of each grant was last reported. */
  readonly #toldOn = new BoundedMap<string, number>(maxTold);
  #cancel: CancelTimer = () => undefined;
  #round: Promise<void> = Promise.resolve();

  constructor(parts: GivenParts, { coordinator, grants }: KeptAlive, settings: KeepAliveSettings) {
    this.#parts = parts;
    this.#coordinator = coordinator;
    this.#grants = grants;
    this.#settings = settings;
    // At a random moment of the interval, so that processes that start together do not look together.
    this.#schedule(Math.random());
  }

  /** Begins nothing more, and waits for what is under way, no longer than `closeTimeoutMs`. */
  async close(): Promise<void> {
    this.#closing.abort(closed());
    this.#cancel();
    const { clock, settings } = this.#parts;
    await atMost(clock, settings.closeTimeoutMs, this.#round);
  }

  #schedule(part: number): void {
    this.#cancel = this.#parts.clock.setTimer(this.#settings.everySeconds * 1000 * part, () => {
      this.#round = this.#sweep().then(() => {
        if (!this.#closing.signal.aborted) this.#schedule(0.9 + Math.random() * 0.2);
      });
    });
  }

  async #sweep(): Promise<void> {
    const { clock, events, store } = this.#parts;
    const { afterSeconds, everySeconds } = this.#settings;
    const startedAt = clock.monotonic();
    const query = { idleMs: afterSeconds * 1000, takenMs: everySeconds * 1000 };
    // A store may have to look at all its grants before one is idle. If it began anew before that, it would never get there.
    const patience = { atLeastMs: everySeconds * 1000, signal: this.#closing.signal };
    const counts: Record<Outcome, number> = { refreshed: 0, ended: 0, failed: 0, unused: 0 };
    const owners: Owners = new Map();
    let failuresInARow = 0;
    try {
      const take = (): AsyncIterable<IdleGrant> => store.takeIdle?.(query) ?? nothing();
      for await (const idle of this.#coordinator.access.each('takeIdle', take, patience)) {
        if (this.#closing.signal.aborted) break;
        const { outcome, isGeneral } = await this.#see(idle, owners);
        if (outcome === undefined) continue;
        counts[outcome] += 1;
        if (outcome !== 'unused') failuresInARow = isGeneral ? failuresInARow + 1 : 0;
        if (failuresInARow === toleratedFailures) break;
        // The grant is not in use, so Salesforce was not asked.
        if (outcome !== 'unused') await wait(clock, pauseMs * (0.5 + Math.random()), this.#closing.signal);
      }
    } catch {
      // The process ends, or the store did not answer, which `store.failed` has told. The next round begins anew.
    }
    events.emit('keepAlive.finished', { ...counts, durationMs: clock.monotonic() - startedAt });
  }

  async #see(idle: IdleGrant, owners: Owners): Promise<{ outcome: Outcome | undefined; isGeneral: boolean }> {
    const { grantId, generation, unheldMs } = idle;
    const { abandonedAfterSeconds } = this.#settings;
    try {
      const record = await this.#coordinator.access.read(grantId);
      // Without a record it was logged out since the store named it, which is found out below.
      if (record && !(await this.#isOurs(record, owners))) return { outcome: undefined, isGeneral: false };
      if (abandonedAfterSeconds !== undefined && unheldMs >= abandonedAfterSeconds * 1000) {
        await this.#grants.abandon({ grantId, generation });
        return { outcome: 'ended', isGeneral: false };
      }
      if (!this.#settings.jobs && !(await this.#isInUse(idle, record))) {
        this.#tellOfEnd(idle, record);
        return { outcome: 'unused', isGeneral: false };
      }
      await this.#coordinator.refresh({ grantId, generation }, 'sweep');
      return { outcome: 'refreshed', isGeneral: false };
    } catch (error) {
      if (requiresLogin(error)) return { outcome: 'ended', isGeneral: false };
      const code = isSalesforceAuthError(error) ? error.code : undefined;
      debugRefresh('%s not kept alive: %s', grantId, code);
      this.#tellOfEnd(idle, await this.#coordinator.access.read(grantId).catch(() => undefined));
      return { outcome: 'failed', isGeneral: await isGeneral(error) };
    }
  }

  /**
   * Whether a grant is of a user, and of a client that is configured here. Another middleware may keep its grants in the same store. A function
   * is asked once in a round for each client, since it may ask a service.
   */
  #isOurs(record: GrantRecord, owners: Owners): Promise<boolean> {
    if (!isOfUser(record)) return Promise.resolve(false);
    const { clientID, tenant } = record.labels;
    const { fixed } = this.#parts.source;
    if (fixed) return Promise.resolve(fixed.clientID === clientID);
    const key = keyOfClient({ tenant, clientID });
    const known = owners.get(key) ?? this.#isConfigured(clientID, tenant);
    owners.set(key, known);
    return known;
  }

  async #isConfigured(clientID: string, tenant: string | undefined): Promise<boolean> {
    const { source, clock, report } = this.#parts;
    try {
      // A function of the application may take its time, which a process that ends does not have.
      await unlessAborted(source.resolveClient(clientID, { tenant }), this.#closing.signal);
      return true;
    } catch (error) {
      if (isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_CLIENT_CHANGED') return false;
      report(error);
      throw error;
    } finally {
      await wait(clock, pauseMs * (0.5 + Math.random()), this.#closing.signal);
    }
  }

  /** Whether a session holds a grant that was used lately. One without a time of use was used when its tokens were stored. */
  async #isInUse({ unheldMs }: IdleGrant, record: GrantRecord | undefined): Promise<boolean> {
    if (unheldMs > 0) return false;
    if (!record || record.state === 'loggedOut') throw loggedOut();
    const { usedAt } = await this.#coordinator.access.tokensOf(record);
    const unusedMs = usedAt === undefined ? record.tokensAgeMs : this.#parts.clock.now() - usedAt;
    return unusedMs < this.#settings.usedWithinSeconds * 1000;
  }

  #tellOfEnd({ grantId, unheldMs }: IdleGrant, record: GrantRecord | undefined): void {
    const { clock, events, settings } = this.#parts;
    const idleUntil = record && idleUntilOf(record, settings, clock);
    if (!idleUntil || settings.idleLimitMs === undefined) return;
    const isNear = record.tokensAgeMs >= nearEndOf(settings.idleLimitMs / 1000) * 1000;
    const isOver = record.tokensAgeMs >= settings.idleLimitMs;
    const today = Math.floor(clock.monotonic() / dayMs);
    if (!isNear || isOver || this.#toldOn.get(grantId) === today) return;
    this.#toldOn.set(grantId, today);
    events.emit('grant.expiring', { grantId, idleUntil, isHeld: unheldMs === 0 });
  }
}

async function* nothing(): AsyncIterable<IdleGrant> {
  // The check of options refuses a store that cannot list idle grants.
}
