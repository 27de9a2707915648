import type { Request } from 'express';
import type { Addresses } from '../address';
import type { Clock } from '../clock';
import { parameterOf } from '../query';
import type { KeyRing } from '../crypto/key-ring';

/** The query parameter that marks a login which has moved to the origin of its callback. */
export const moveParameter = 'salesforce_move';

/** How long the mark of a move is good, in milliseconds. */
const moveLifeMs = 5 * 60 * 1000;

const subject = 'login moved to the origin of its callback';

/** What a login keeps while it moves from the origin at which it began to that of its callback. */
export interface MovedLogin {
  /** Where the login began. */
  origin: string;
  tenant?: string | undefined;
  /** The options of the call, so that the other host decides nothing again. */
  options: Record<string, unknown>;
}

/**
 * Moves a login to the origin of its callback before it begins.
 *
 * The login's cookie has to reach the callback, and a cookie stays with its host. So a login begun at `www.`, by http or at
 * `127.0.0.1` goes to the callback's own origin first. It moves once: a proxy can hide the public origin, so that each request
 * seems to come to the wrong one. A marked request begins its login at once.
 */
export class LoginMoves {
  readonly #keys: KeyRing;
  readonly #clock: Clock;

  constructor(keys: KeyRing, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** The content of the mark of a request; undefined without a mark, or if the mark is too old or not ours. */
  async read(req: Request): Promise<MovedLogin | undefined> {
    const mark = parameterOf(req, moveParameter);
    const text = mark !== undefined ? await this.#keys.open(subject, mark) : undefined;
    if (text === undefined) return undefined;
    const { at, ...moved } = JSON.parse(text) as MovedLogin & { at: number };
    return this.#clock.now() - at <= moveLifeMs ? moved : undefined;
  }

  /** The URL that a login moves to: the same path and query at the origin of the callback, with the mark. */
  async urlFor(req: Request, callbackOrigin: string, { addresses, moved }: MoveContext): Promise<string> {
    const mark = await this.#keys.seal(subject, JSON.stringify({ ...moved, at: this.#clock.now() }));
    const url = new URL(callbackOrigin + addresses.currentPath(req));
    url.searchParams.set(moveParameter, mark);
    return url.href;
  }
}

/** Whether a login goes on at the URL, rather than at Salesforce. */
export function isMove(url: string): boolean {
  return new URL(url).searchParams.has(moveParameter);
}

interface MoveContext {
  addresses: Addresses;
  moved: MovedLogin;
}

/** The warning for the operator about logins that have moved and still seem to be at another origin. */
export function movedText({ from, to }: { from: string; to: string }): string {
  return (
    `Logins begin at ${from} and come back to ${to}. If a proxy is in front, set 'trust proxy' in Express, or the option ` +
    'publicUrl to the address that browsers use, so that the application knows its own address.'
  );
}
