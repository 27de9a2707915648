import { BoundedMap } from '../../bounded-map';
import type { Clock } from '../../clock';
import type { TokenSet } from '../../token/types';
import { ageOf, dueTimesOf, type DueTimes, type GrantView } from '../cache';
import { keyOf } from './rotation';
import type { Answer } from './verdict';

/** Hosts remembered, for each client and organization. */
const maxHosts = 10_000;

/** Outages of one host remembered. */
const maxOutages = 20;

const longestPauseMs = 120_000;

/** For how long an outage counts, in milliseconds. All tokens from before it have had their turn by then. */
const rememberedMs = 24 * 60 * 60 * 1000;

/** An outage that is over, on the monotonic clock. */
interface Outage {
  since: number;
  until: number;
}

/** An outage that goes on. */
interface Trouble {
  since: number;
  /** When the last request failed. */
  failedAt: number;
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
 * What this process has seen of outages of the token endpoint, by host, client and organization. So the refreshes that no request
 * waits for do not all come when an outage is over.
 *
 * While a host is in trouble, one grant tries on behalf of all others. Afterwards the refresh of each token from before the outage
 * is as much later as the outage was long, which spreads the load on Salesforce. A token that has probably ended does not wait.
 */
export class Outages {
  readonly #clock: Clock;
  readonly #hosts = new BoundedMap<string, Host>(maxHosts);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Notes the answer to a refresh. */
  note(tokens: TokenSet, grantId: string, answer: Answer): void {
    if (withoutAnswer.includes(answer)) this.#failed(hostOf(tokens), grantId);
    else this.#answered(hostOf(tokens));
  }

  /** Notes an introspection that failed. One that succeeds does not show that the token endpoint works. */
  noteLook(tokens: TokenSet, grantId: string, answer: Answer): void {
    if (withoutAnswer.includes(answer)) this.#failed(hostOf(tokens), grantId);
  }

  /** How long a grant whose access token works leaves its host alone, in milliseconds. 0 if it may refresh. */
  waitInMs(grantId: string, view: GrantView): number {
    const pauseInMs = this.pauseInMs(view.tokens, grantId);
    // Only an end that is presumed may pass meanwhile.
    if (view.overInMs !== Infinity) return Math.min(pauseInMs, Math.max(0, view.hardInMs - ageOf(view, this.#clock)));
    return pauseInMs === 0 ? this.turnInMs(view.tokens, dueTimesOf(view)) : pauseInMs;
  }

  /** How long a grant leaves a host alone that does not answer, in milliseconds. 0 if it may try. */
  pauseInMs(tokens: TokenSet, grantId: string): number {
    const trouble = this.#hosts.get(hostOf(tokens))?.trouble;
    if (!trouble || trouble.scout === grantId) return 0;
    const now = this.#clock.monotonic();
    if (now < trouble.nextScoutAt) return trouble.nextScoutAt - now;
    trouble.scout = grantId;
    trouble.nextScoutAt = now + pauseMs(trouble.failures);
    return 0;
  }

  /** How long a grant waits for its turn after an outage, in milliseconds. 0 if it may refresh. */
  turnInMs(tokens: TokenSet, { since, dueAt, endsAt, isInUse }: DueTimes): number {
    const known = this.#hosts.get(hostOf(tokens));
    if (!known || known.trouble) return 0;
    const now = this.#clock.monotonic();
    const turn = turnOf({ since, dueAt }, known.outages.filter(isRemembered(now)));
    // A session in use outlives its presumed end, by as long as the use was after the token was stored: by more than half of
    // its life, since no refresh becomes due before that.
    const latestAt = isInUse ? endsAt + (endsAt - since) / 2 : endsAt;
    return Math.max(0, Math.min(turn, latestAt) - now);
  }

  /** Whether the host of these tokens does not answer at this moment. */
  isOn(tokens: TokenSet): boolean {
    return this.#hosts.get(hostOf(tokens))?.trouble !== undefined;
  }

  /** Whether a grant would wait for its turn if its token were in use. */
  hasTurn(view: GrantView): boolean {
    return this.turnInMs(view.tokens, { ...dueTimesOf(view), isInUse: true }) > 0;
  }

  #failed(host: string, grantId: string): void {
    const now = this.#clock.monotonic();
    const known = this.#hosts.get(host) ?? { trouble: undefined, outages: [] };
    this.#hosts.set(host, known);
    const { since, failures } = known.trouble ?? { since: now, failures: 0 };
    const nextScoutAt = now + pauseMs(failures);
    known.trouble = { since, failedAt: now, failures: failures + 1, scout: grantId, nextScoutAt };
  }

  #answered(host: string): void {
    const known = this.#hosts.get(host);
    if (!known?.trouble) return;
    const now = this.#clock.monotonic();
    const { since, failedAt, failures } = known.trouble;
    // If no request has come for a while, the host may have answered long before now.
    const until = Math.min(now, failedAt + pauseMs(failures));
    const outages = [...known.outages, { since, until }].filter(isRemembered(now));
    if (outages.length > maxOutages) outages.splice(outages.indexOf(shortestOf(outages)), 1);
    known.trouble = undefined;
    known.outages = outages;
  }
}

/** One client or organization can have an outage of its own: a broken proxy, a limit, an instance in maintenance. */
function hostOf(tokens: TokenSet): string {
  return `${tokens.baseUrl} ${keyOf(tokens)}`;
}

function isRemembered(now: number): (outage: Outage) => boolean {
  return ({ until }) => now - until < rememberedMs;
}

/** When a grant gets its turn: later by the length of each outage that its tokens have met before their turn. */
function turnOf({ since, dueAt }: Pick<DueTimes, 'since' | 'dueAt'>, outages: readonly Outage[]): number {
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
