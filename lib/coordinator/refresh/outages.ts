import { BoundedMap } from '../../bounded-map';
import type { Clock } from '../../clock';
import type { Answer } from './verdict';

/** Hosts remembered. */
const maxHosts = 1_000;

/** Outages of one host remembered. */
const maxOutages = 20;

/**
 * How much longer than an outage its backlog takes. The load after an outage is the usual load and, in addition, the usual load
 * divided by this number.
 */
const stretch = 2;

const longestPauseMs = 120_000;

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
 * While a host is in trouble, one grant tries on behalf of all others. Afterwards the grants that became due meanwhile get their
 * turns in the order in which they became due, over a time that is twice as long as the outage.
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

  /**
   * For how long a grant whose access token still works is to leave a host alone, in milliseconds. 0 means that it may try.
   *
   * @param dueAt when its refresh became due, on the monotonic clock
   */
  turnInMs(host: string, grantId: string, dueAt: number): number {
    const known = this.#hosts.get(host);
    if (!known) return 0;
    const now = this.#clock.monotonic();
    const { trouble, outages } = known;
    if (!trouble) return Math.max(0, turnOf(dueAt, outages) - now);
    if (trouble.scout === grantId) return 0;
    if (now < trouble.nextScoutAt) return trouble.nextScoutAt - now;
    trouble.scout = grantId;
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
    const outages = all.filter((outage) => turnOf(outage.until, [outage]) >= now);
    if (outages.length > maxOutages) outages.splice(outages.indexOf(shortestOf(outages)), 1);
    known.trouble = undefined;
    known.outages = outages;
  }
}

/** When a grant gets its turn: one that became due in an outage after it, and after those that became due before. */
function turnOf(dueAt: number, outages: readonly Outage[]): number {
  return outages.reduce(
    (turn, { since, until }) => (turn >= since && turn <= until ? until + (turn - since) * stretch : turn),
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
