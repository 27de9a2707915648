import { BoundedMap } from '../../bounded-map';
import type { Clock } from '../../clock';
import type { DueTimes } from '../cache';
import type { Answer } from './verdict';

/** Hosts remembered. */
const maxHosts = 1_000;

/** Outages of one host remembered. */
const maxOutages = 20;

const longestPauseMs = 120_000;

/** For how long an outage counts, in milliseconds. All tokens of before it have had their turn by then. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** An outage that is over, on the monotonic clock. */
interface Outage {
  since: number;
  until: number;
}

/** An outage that goes on. */
interface Trouble {
  since: number;
  /** Failures in a row. */
  failures: number;
  /** The grant that tries on behalf of all others. Its own record says when. */
  scout: string;
  /** When another grant takes its place, if it has sent no request. */
  nextScoutAt: number;
}

/** A grant whose refresh is due. */
interface DueGrant extends DueTimes {
  grantId: string;
}

interface Host {
  trouble: Trouble | undefined;
  /** Oldest first. */
  outages: Outage[];
}

const withoutAnswer: readonly Answer[] = ['not carried out', 'not sent', 'host gone', 'lost'];

/**
 * What this process has seen of outages of Salesforce, by host. So the refreshes that no request waits for do not all come when
 * an outage is over.
 *
 * While a host is in trouble, one grant tries on behalf of all others. Afterwards the refresh of each token from before the outage
 * is as much later as the outage was long. So the load on Salesforce is the usual one. After a long outage a token that has
 * probably ended does not wait.
 */
export class Outages {
  readonly #clock: Clock;
  readonly #hosts = new BoundedMap<string, Host>(maxHosts);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes what came of a request about a grant to a host. */
  note(host: string, grantId: string, answer: Answer): void {
    if (withoutAnswer.includes(answer)) this.#failed(host, grantId);
    else this.#answered(host);
  }

  /** For how long a grant whose access token still works is to leave a host alone, in milliseconds. 0 means that it may try. */
  turnInMs(host: string, grant: DueGrant): number {
    const known = this.#hosts.get(host);
    if (!known) return 0;
    const now = this.#clock.monotonic();
    const { trouble, outages } = known;
    if (!trouble) return Math.max(0, Math.min(turnOf(grant, outages), grant.latestAt) - now);
    if (trouble.scout === grant.grantId) return 0;
    if (now < trouble.nextScoutAt) return trouble.nextScoutAt - now;
    trouble.scout = grant.grantId;
    trouble.nextScoutAt = now + pauseMs(trouble.failures);
    return 0;
  }

  #failed(host: string, grantId: string): void {
    const now = this.#clock.monotonic();
    const known = this.#hosts.get(host) ?? { trouble: undefined, outages: [] };
    this.#hosts.set(host, known);
    const { since, failures } = known.trouble ?? { since: now, failures: 0 };
    known.trouble = { since, failures: failures + 1, scout: grantId, nextScoutAt: now + pauseMs(failures) };
  }

  #answered(host: string): void {
    const known = this.#hosts.get(host);
    if (!known?.trouble) return;
    const now = this.#clock.monotonic();
    const all = [...known.outages, { since: known.trouble.since, until: now }];
    const outages = all.filter(({ until }) => now - until < rememberedMs);
    if (outages.length > maxOutages) outages.splice(outages.indexOf(shortestOf(outages)), 1);
    known.trouble = undefined;
    known.outages = outages;
  }
}

/** When a grant gets its turn: later by the length of each outage that its tokens have met before their turn. */
function turnOf({ since, dueAt }: DueGrant, outages: readonly Outage[]): number {
  return outages.reduce(
    (turn, outage) => (since < outage.since && turn >= outage.since ? turn + lengthOf(outage) : turn),
    dueAt,
  );
}

function shortestOf(outages: readonly Outage[]): Outage {
  return outages.reduce((shortest, outage) => (lengthOf(outage) < lengthOf(shortest) ? outage : shortest));
}

function lengthOf({ since, until }: Outage): number {
  return until - since;
}

/** From two seconds to two minutes: longer than the pause of the grant that tries. */
function pauseMs(failures: number): number {
  return Math.min(longestPauseMs, 2_000 * 2 ** Math.min(failures, 6));
}
