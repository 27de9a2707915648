import { createHash, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Request } from 'express';
import type { Clock } from '../clock';
import type { KeyRing } from '../crypto/key-ring';
import { SalesforceAuthError } from '../errors';
import { parameterOf } from '../query';
import { cookieName, cookieOptions, cookiesOf, type SetCookie } from './cookies';

/** Everything a callback needs to know of the login it ends. */
export interface Transaction {
  clientID: string;
  tenant?: string | undefined;
  baseUrl: string;
  callbackURL: string;
  codeVerifier: string;
  nonce?: string | undefined;
  /** Whether the login began at another host of the application, which may be one of another tenant. */
  isMoved?: true;
  /** What the application asked to have back. */
  appState?: unknown;
}

/** How long a login may take, in milliseconds: Salesforce's codes live 15 minutes, and second factors take time. */
export const loginLifeMs: number = 15 * 60 * 1000;

/**
 * How long its cookie is kept, in milliseconds. A login page that was left open ends in an error, and the cookie still knows which
 * page the login was for.
 */
const keptMs = 2 * 60 * 60 * 1000;

/** Pending logins of one browser; more would only fill the Cookie header. */
const maxPending = 8;

/**
 * Their size in that header, in bytes. Servers refuse requests whose header is too large: nginx at 8 KiB, Node.js at 16. Tabs that
 * a browser opens at the same moment do not see the cookies of one another, and some of them have to fit as well.
 */
const maxPendingBytes = 4 * 1024;

/** What a callback leaves of them, in bytes. Logins of other tabs are still pending, so it takes no more than the servers demand. */
const maxBytes = 7 * 1024;

/**
 * What most transactions have in common, so that their cookies need not repeat it. Another text here would make the logins that are
 * pending during an update fail.
 */
const dictionary = Buffer.from(
  '"tenant":"","isMoved":true,"isSilent":true,"addTo":["returnOrigin":"https://{"clientID":"3MVG9","baseUrl":' +
    '"https://test.salesforce.comhttps://login.salesforce.com.my.salesforce.com","callbackURL":"http://localhost:3000' +
    '/auth/salesforce/callback","codeVerifier":"","nonce":"","appState":{"returnTo":"/"},"startedAt":17',
);

const prefix = 'salesforce-login.';
/** Only names made here. A page can plant a cookie whose name no response can carry. */
const ownName = /^(?:__Host-)?salesforce-login\.[\w-]{16}$/;

/**
 * Pending logins, each in a cookie of its own named by its `state`.
 *
 * In a session, the second of two tabs would lose its transaction when the login of the first makes a new session. The
 * cookies are encrypted, HttpOnly and SameSite=Lax. A cookie keeps its content after the callback, so that the same callback
 * can be opened again: the claim of the login keeps its code from being presented twice.
 */
export class Transactions {
  readonly #keys: KeyRing;
  readonly #clock: Clock;

  constructor(keys: KeyRing, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Makes the `state` of a login, and the cookies that keep its transaction in the browser. */
  async create(req: Request, transaction: Transaction): Promise<{ state: string; cookies: SetCookie[] }> {
    const state = randomBytes(24).toString('base64url');
    const now = this.#clock.now();
    const text = JSON.stringify({ ...transaction, startedAt: now });
    const sealed = await this.#keys.seal(state, deflateRawSync(text, { dictionary, level: 9 }));
    // The cookie has to fit the callback, which may be https although this request looks like http.
    const isSecure = transaction.callbackURL.startsWith('https:');
    const name = cookieName(nameOf(state), isSecure);
    const value = `${now}.${sealed}`;
    const cookie: SetCookie = { name, value, options: { ...cookieOptions(isSecure), maxAge: keptMs } };
    return { state, cookies: [...surplus(req, [cookie], { count: maxPending, bytes: maxPendingBytes }), cookie] };
  }

  /**
   * The transaction of a callback.
   *
   * @param isSecure whether the browser is known to have reached this callback by https
   * @throws SalesforceAuthError `ERR_SALESFORCE_STATE_MISMATCH`, also for an `error` of a login that this browser did not begin
   */
  async open(req: Request, isSecure: boolean): Promise<OpenedTransaction> {
    const state = parameterOf(req, 'state');
    const isError = parameterOf(req, 'error') !== undefined;
    if (state === undefined || state === '') throw isError ? unsolicited() : stateMissing();
    const transaction = (await this.#read(req, state, true)) ?? (await this.#readPlain(req, state, isSecure));
    if (!transaction) throw isError ? unsolicited() : stateMismatch();
    const { startedAt, ...rest } = transaction;
    return { state, transaction: rest, isExpired: this.#clock.now() - startedAt > loginLifeMs };
  }

  /** A cookie without the prefix, which a sibling domain can plant, is taken for logins that are http throughout. */
  async #readPlain(req: Request, state: string, isSecure: boolean): Promise<Stored | undefined> {
    const found = isSecure ? undefined : await this.#read(req, state, false);
    return found?.callbackURL.startsWith('http:') ? found : undefined;
  }

  async #read(req: Request, state: string, hasPrefix: boolean): Promise<Stored | undefined> {
    const value = cookiesOf(req)[cookieName(nameOf(state), hasPrefix)];
    const sealed = value?.slice(value.indexOf('.') + 1);
    const bytes = sealed === undefined ? undefined : await this.#keys.openBytes(state, sealed);
    return bytes && unpacked(bytes);
  }
}

/** A transaction that came back. */
export interface OpenedTransaction {
  state: string;
  transaction: Transaction;
  /** Whether the login took too long. */
  isExpired: boolean;
}

type Stored = Transaction & { startedAt: number };

/** Undefined for a transaction of another version of this package, whose login begins again. */
function unpacked(bytes: Uint8Array): Stored | undefined {
  try {
    return JSON.parse(inflateRawSync(bytes, { dictionary }).toString('utf8')) as Stored;
  } catch {
    return undefined;
  }
}

function nameOf(state: string): string {
  return prefix + createHash('sha256').update(state).digest('base64url').slice(0, 16);
}

/** Names of the logins whose cookies a request carries, whether they are pending or have ended. */
export function loginsOf(req: Request): string[] {
  return Object.keys(cookiesOf(req))
    .filter((name) => ownName.test(name))
    .map((name) => name.slice(name.indexOf(prefix)));
}

/** Name of the login that a callback ends, if the callback names one. */
export function loginOf(req: Request): string | undefined {
  const state = parameterOf(req, 'state');
  return state === undefined ? undefined : nameOf(state);
}

/** What a cookie begins with if its callback has been answered; others begin with the time of their login. */
const ended = 'ended.';

/**
 * The cookie of a callback that is being answered, marked as that of a login that has ended. The same callback can be opened
 * again with it, until a logout takes it away.
 */
export function endedCookies(req: Request): SetCookie[] {
  const own = loginOf(req);
  if (own === undefined) return [];
  const cookies = Object.entries(cookiesOf(req))
    .filter(([name]) => name === own || name === cookieName(own, true))
    .map(([name, value = '']) => ({
      name,
      value: ended + value.slice(value.indexOf('.') + 1),
      options: { ...cookieOptions(name.startsWith('__Host-')), maxAge: loginLifeMs },
    }));
  // Tabs that began their logins at the same moment could not make room for one another.
  return [...surplus(req, cookies, { count: Infinity, bytes: maxBytes }), ...cookies];
}

/** What a cookie begins with after a logout, with its time: the login may be finished, and must not have been finished before. */
const loggedOut = /^out-(\d+)\./;

/**
 * What a logout makes of the cookies of other logins, so that the Back button logs no user in again. The cookies of logins that have
 * ended go. Those of pending logins stay, marked: the answer to a callback may have been lost, and its login has ended then.
 */
export function cookiesAfterLogout(req: Request, now: number): SetCookie[] {
  const own = loginOf(req);
  return Object.entries(cookiesOf(req))
    .filter(([name, value = '']) => ownName.test(name) && !loggedOut.test(value))
    .filter(([name]) => own === undefined || !name.endsWith(own))
    .map(([name, value = '']) => {
      const options = cookieOptions(name.startsWith('__Host-'));
      if (value.startsWith(ended) || value === '') return { name, value: '', options };
      const marked = `out-${now}.${value.slice(value.indexOf('.') + 1)}`;
      return { name, value: marked, options: { ...options, maxAge: keptMs } };
    });
}

/** When a user has logged out since the login of a callback began, in milliseconds since the epoch; undefined if nobody has. */
export function loggedOutAt(req: Request): number | undefined {
  const own = loginOf(req);
  if (own === undefined) return undefined;
  const cookies = cookiesOf(req);
  const [, at] = loggedOut.exec(cookies[cookieName(own, true)] ?? cookies[own] ?? '') ?? [];
  return at === undefined ? undefined : Number(at);
}

/** Removes the oldest logins that have no room beside these cookies. */
function surplus(
  req: Request,
  kept: readonly Pick<SetCookie, 'name' | 'value'>[],
  most: { count: number; bytes: number },
): SetCookie[] {
  const others = Object.entries(cookiesOf(req))
    .filter(([name]) => ownName.test(name) && !kept.some((cookie) => cookie.name === name))
    .map(([name, value = '']) => ({
      name,
      size: name.length + value.length,
      startedAt: Number.parseInt(value, 10) || 0,
    }))
    .sort((a, b) => b.startedAt - a.startedAt);
  let total = kept.reduce((sum, { name, value }) => sum + name.length + value.length, 0);
  return others
    .filter(({ size }, index) => {
      total += size;
      return index >= most.count - kept.length || total > most.bytes;
    })
    .map(({ name }) => ({ name, value: '', options: cookieOptions(name.startsWith('__Host-')) }));
}

const startAgain = 'Start the login again from the application.';

function stateMissing(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISMATCH',
    `The callback has no "state", so it does not belong to a login from here. ${startAgain}`,
    { status: 403 },
  );
}

function stateMismatch(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISMATCH',
    'The "state" of the callback belongs to no login begun in this browser, or to one before its last eight. ' +
      `${startAgain} If it happens every time, check that cookies are accepted, that the login begins at the host of the ` +
      'callback URL, and that encryptionKeys are the same on every server.',
    { status: 403 },
  );
}

function unsolicited(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISMATCH',
    `The callback reports an error of a login that was not begun in this browser; it was ignored. ${startAgain}`,
    { status: 403 },
  );
}
