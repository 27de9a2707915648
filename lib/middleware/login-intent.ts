import { createHash, randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Addresses } from '../address';
import type { Clock } from '../clock';
import type { KeyRing } from '../crypto/key-ring';
import { cookieName, cookieOptions, cookiesOf } from '../login/cookies';
import type { ParsedOptions } from './options';
import { parameterOf } from '../query';
import { entriesOf, type SessionPlace } from './session';

/** What our page, guard or picker asks of the login route beside a plain login. */
export interface LoginIntent {
  /** Path to return to. */
  returnTo?: string | undefined;
  /** An organization's name, or a My Domain. */
  org?: string | undefined;
  /** Add the login to those the session has. */
  add?: boolean | undefined;
  /** The user wants to log in as another one, so Salesforce has to ask even if the browser is logged in there. */
  otherUser?: boolean | undefined;
}

/** Query parameter of the login route. */
export const intentParameter = 'intent';

const browserCookie = 'salesforce-browser';

/** How long a link of ours is good, in milliseconds: a page may stay open while the user looks for the name of a domain. */
const intentLifeMs = 30 * 60 * 1000;

/**
 * Links of ours to the login route, sealed and bound to the browser they were made for.
 *
 * Another site can send a browser to the login route as well. That site must not choose the organization, add a login, or make the
 * user log in at Salesforce again.
 * `state` and PKCE do not prevent this, since the victim's own browser began the login. So only a sealed link, or a page of the same
 * origin, may ask for more than a plain login.
 */
export class LoginIntents {
  readonly #keys: KeyRing;
  readonly #addresses: Addresses;
  readonly #session: SessionPlace;
  readonly #clock: Clock;

  constructor({ keys, addresses, session, clock }: Pick<ParsedOptions, 'keys' | 'addresses' | 'session' | 'clock'>) {
    this.#keys = keys;
    this.#addresses = addresses;
    this.#session = session;
    this.#clock = clock;
  }

  /** Seals intents for the browser of a request, which gets a name if it has none. */
  sealer(req: Request, res: Response): (intent: LoginIntent) => Promise<string> {
    const subject = subjectOf(this.#nameIn(req) ?? this.#newName(req, res));
    return (intent) => this.#keys.seal(subject, JSON.stringify({ ...intent, at: this.#clock.now() }));
  }

  /** The intent of a request; undefined without a valid intent for this browser. */
  async read(req: Request): Promise<LoginIntent | undefined> {
    const sealed = parameterOf(req, intentParameter);
    const browser = this.#nameIn(req);
    if (sealed === undefined || browser === undefined) return undefined;
    const text = await this.#keys.open(subjectOf(browser), sealed);
    if (text === undefined) return undefined;
    const { at, ...intent } = JSON.parse(text) as LoginIntent & { at: number };
    return this.#clock.now() - at <= intentLifeMs ? intent : undefined;
  }

  #nameIn(req: Request): string | undefined {
    const value = cookiesOf(req)[cookieName(browserCookie, this.#addresses.isSecure(req))];
    return value !== undefined && /^[\w-]{22}$/.test(value) ? value : undefined;
  }

  #newName(req: Request, res: Response): string {
    // Two tabs that are opened at once get one name, so that the cookie of one answer does not make the link of the other invalid.
    const [entry] = entriesOf(req, this.#session);
    const bytes = entry ? createHash('sha256').update(`browser of ${entry.holder}`).digest() : randomBytes(16);
    const name = bytes.subarray(0, 16).toString('base64url');
    const isSecure = this.#addresses.isSecure(req);
    res.cookie(cookieName(browserCookie, isSecure), name, cookieOptions(isSecure));
    return name;
  }
}

function subjectOf(browser: string): string {
  return `login intent of ${browser}`;
}

/** A path with query parameters; those that are undefined are left out. */
export function withQuery(path: string, parameters: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const query = new URLSearchParams(given).toString();
  return query === '' ? path : `${path}?${query}`;
}
