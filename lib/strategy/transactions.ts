import { createHash, randomBytes } from 'node:crypto';
import { parseCookie, type Cookies } from 'cookie';
import type { CookieOptions, Request } from 'express';
import type { Clock } from '../clock';
import type { KeyRing } from '../crypto/key-ring';
import { SalesforceAuthError } from '../errors';

/** Everything a callback needs to know of the login it ends. */
export interface Transaction {
  clientID: string;
  tenant?: string;
  baseUrl: string;
  callbackURL: string;
  codeVerifier: string;
  nonce?: string;
  /** What the application asked to have back. */
  appState?: unknown;
}

/** How long a login may take, in milliseconds: Salesforce's codes live 15 minutes, and second factors take time. */
const lifeMs = 15 * 60 * 1000;

/** Pending logins of one browser; more would only fill the Cookie header. */
const maxPending = 8;

/** Their size in that header, in bytes. Servers refuse requests whose header is too large: nginx at 8 KiB, Node.js at 16. */
const maxPendingBytes = 6 * 1024;

const prefix = 'salesforce-login.';
const hostPrefix = '__Host-';
/** Only names made here: a cookie's name that a page planted may be one that no response can carry. */
const ownName = /^(?:__Host-)?salesforce-login\.[\w-]{16}$/;
const used = 'used';

/**
 * Pending logins, each in a cookie of its own named by its `state`.
 *
 * In a session, the second of two tabs would lose its transaction when the first one's login makes a new session. The
 * cookies are encrypted, HttpOnly and SameSite=Lax, since Salesforce's redirect is a navigation from another site.
 */
export class Transactions {
  readonly #keys: KeyRing;
  readonly #clock: Clock;
  /** States this process has seen used: a second callback of the same login must not present its code again. */
  readonly #seen = new Map<string, number>();

  constructor(keys: KeyRing, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Keeps a transaction in the browser and returns its `state`. */
  async begin(req: Request, transaction: Transaction): Promise<string> {
    const state = randomBytes(24).toString('base64url');
    const now = this.#clock.now();
    const sealed = await this.#keys.seal(state, JSON.stringify({ ...transaction, startedAt: now }));
    const [name, value] = [cookieName(req, state), `${now}.${sealed}`];
    this.#dropOldest(req, name.length + value.length);
    responseOf(req).cookie(name, value, { ...cookieOptions(req), maxAge: lifeMs });
    return state;
  }

  /**
   * Ends the transaction of a callback: from now on its `state` is used.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_STATE_MISSING`, `ERR_SALESFORCE_STATE_MISMATCH`,
   *   `ERR_SALESFORCE_CALLBACK_REPLAYED`, `ERR_SALESFORCE_TRANSACTION_EXPIRED`; for an `error` callback nobody asked for,
   *   `ERR_SALESFORCE_UNSOLICITED_ERROR`
   */
  async consume(req: Request, state: unknown, isError: boolean): Promise<Transaction> {
    if (typeof state !== 'string' || state === '') throw isError ? unsolicited() : stateMissing();
    const name = cookieName(req, state);
    const value = cookiesOf(req)[name];
    if (value === used || this.#wasSeen(state)) throw replayed();
    const sealed = value?.slice(value.indexOf('.') + 1);
    const text = sealed === undefined ? undefined : await this.#keys.open(state, sealed);
    if (text === undefined) throw isError ? unsolicited() : stateMismatch();
    // Looked at again: another callback of the same login may have come while the cookie was being opened.
    if (this.#wasSeen(state)) throw replayed();
    const { startedAt, ...transaction } = JSON.parse(text) as Transaction & { startedAt: number };
    this.#markSeen(state);
    responseOf(req).cookie(name, used, { ...cookieOptions(req), maxAge: lifeMs });
    if (this.#clock.now() - startedAt > lifeMs) throw expired();
    return transaction;
  }

  #wasSeen(state: string): boolean {
    return this.#seen.has(state);
  }

  #markSeen(state: string): void {
    const now = this.#clock.now();
    // In order of insertion, so the outdated ones come first.
    for (const [oldState, seenAt] of this.#seen) {
      if (now - seenAt <= lifeMs && this.#seen.size < 10_000) break;
      this.#seen.delete(oldState);
    }
    this.#seen.set(state, now);
  }

  /** Makes room for a login, its cookie `bytes` long. */
  #dropOldest(req: Request, bytes: number): void {
    const pending = Object.entries(cookiesOf(req))
      .filter(([name]) => ownName.test(name))
      .map(([name, value = '']) => ({
        name,
        size: name.length + value.length,
        startedAt: Number.parseInt(value, 10) || 0,
      }))
      .sort((a, b) => b.startedAt - a.startedAt);
    let total = bytes;
    for (const [index, { name, size }] of pending.entries()) {
      total += size;
      if (index >= maxPending - 1 || total > maxPendingBytes) responseOf(req).clearCookie(name, cookieOptions(req));
    }
  }
}

function cookieName(req: Request, state: string): string {
  const name = prefix + createHash('sha256').update(state).digest('base64url').slice(0, 16);
  // With this prefix a browser refuses the cookie from a subdomain, which could otherwise plant a login of its own.
  return req.secure ? hostPrefix + name : name;
}

function cookieOptions(req: Request): CookieOptions {
  return { httpOnly: true, sameSite: 'lax', secure: req.secure, path: '/' };
}

function cookiesOf(req: Request): Cookies {
  return parseCookie(req.headers.cookie ?? '');
}

function responseOf(req: Request): NonNullable<Request['res']> {
  if (req.res) return req.res;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_MIDDLEWARE_MISSING',
    'The strategy keeps its login in a cookie and needs an Express request. Call it from an Express route.',
  );
}

const startAgain = 'Start the login again from the application.';

function stateMissing(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISSING',
    `The callback has no "state", so it does not belong to a login from here. ${startAgain}`,
    { status: 403 },
  );
}

function stateMismatch(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISMATCH',
    'The "state" of the callback belongs to no login begun in this browser. ' +
      `${startAgain} If it happens every time, check that cookies are accepted and encryptionKeys are the same on every server.`,
    { status: 403 },
  );
}

function unsolicited(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_UNSOLICITED_ERROR',
    `The callback reports an error of a login that was not begun in this browser; it was ignored. ${startAgain}`,
    { status: 403 },
  );
}

function replayed(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CALLBACK_REPLAYED',
    'This login has been completed already; going back to its callback changes nothing. Open the application instead.',
    { status: 403 },
  );
}

function expired(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_TRANSACTION_EXPIRED',
    `The login took longer than 15 minutes. ${startAgain}`,
    {
      status: 403,
    },
  );
}
