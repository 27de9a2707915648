import type { SalesforceErrorCode, SalesforceOptionErrorCode, SalesforceRuntimeErrorCode } from './error-codes';
import { loginUnknown, userMessages, type UserMessage } from './salesforce-errors/user-messages';

export type { SalesforceErrorCode, SalesforceOptionErrorCode, SalesforceRuntimeErrorCode };

/**
 * Every error the package throws or passes to `next()`.
 *
 * `code` is ours and stable; `error` is what Salesforce said (RFC 6749, section 5.2). No error carries a token, a code, a
 * secret or a raw reply: a `cause` is kept only when it is an error of this package or a plain system error.
 */

/** Marks errors of this package across two copies of the module, where `instanceof` would fail. */
const marker: unique symbol = Symbol.for('express-salesforce-auth.error') as never;

/**
 * A wrong option: a programming or configuration mistake, thrown as a `TypeError` before any request is served.
 *
 * @example
 * import { salesforceAuth, SalesforceOptionError } from 'express-salesforce-auth';
 *
 * try {
 *   salesforceAuth({ clientID: '3MVG9…', callbackURL: 'http://app.example.com/callback' });
 * } catch (error) {
 *   if (error instanceof SalesforceOptionError) console.error(error.option, error.message);
 * }
 */
export class SalesforceOptionError extends TypeError {
  override readonly name: string = 'SalesforceOptionError';
  readonly code: SalesforceOptionErrorCode;
  /** The option at fault, for instance `prompt`. */
  readonly option: string;
  /** HTTP status, should the option come from a request or from a configuration read while serving one. */
  readonly status: number;
  readonly statusCode: number;

  constructor(code: SalesforceOptionErrorCode, option: string, message: string, status = 500) {
    super(message);
    this.status = status;
    this.statusCode = status;
    this.code = code;
    this.option = option;
    Object.defineProperty(this, marker, { value: true });
  }

  /** Always false: an option stays wrong until the operator corrects it. */
  get isTransient(): boolean {
    return userMessageOf(this).isTransient;
  }

  /** A sentence that may be shown to any user, unlike `message`, which is for the operator. */
  get userMessage(): string {
    return userMessageOf(this).userMessage;
  }
}

/** How a login began that has failed. */
export interface LoginOrigin {
  /** What the application asked to have back. */
  readonly appState: unknown;
  readonly baseUrl: string;
  readonly tenant: string | undefined;
}

/** What a {@link SalesforceAuthError} is made of. */
export interface SalesforceAuthErrorOptions {
  /** HTTP status a handler should answer with. Default 500. */
  status?: number;
  /** Response headers Express sends with the error, for instance `Retry-After`. */
  headers?: Record<string, string>;
  cause?: unknown;
  /** The error code Salesforce sent (RFC 6749, section 5.2). */
  error?: string | undefined;
  /** The human-readable text Salesforce sent beside it. */
  errorDescription?: string | undefined;
  /** HTTP status of Salesforce's answer. */
  upstreamStatus?: number | undefined;
  /** Seconds after which another try makes sense. */
  retryAfterSeconds?: number | undefined;
  /** Whether a page offers a login beside another try. */
  offersLogin?: boolean | undefined;
  /** Whether a store failed while a login or logout was written, so that either may be kept or not. */
  leavesLoginUnknown?: boolean | undefined;
}

/**
 * An error while serving: Express reads `status` and `headers` from it as it stands.
 *
 * Compare `code`; use {@link isSalesforceAuthError} rather than `instanceof`.
 *
 * @example
 * import express, { type ErrorRequestHandler } from 'express';
 * import { SalesforceAuthError } from 'express-salesforce-auth';
 *
 * const app = express();
 * const showError: ErrorRequestHandler = (error, _req, res, next) => {
 *   if (error instanceof SalesforceAuthError) res.status(error.status).set(error.headers).send(error.userMessage);
 *   else next(error);
 * };
 * app.use(showError);
 */
export class SalesforceAuthError extends Error {
  override readonly name: string = 'SalesforceAuthError';
  readonly code: SalesforceRuntimeErrorCode;
  readonly status: number;
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  /** The error code Salesforce sent, if it sent one. */
  readonly error: string | undefined;
  /** The text Salesforce sent beside it. */
  readonly errorDescription: string | undefined;
  /** HTTP status of Salesforce's answer, if there was one. */
  readonly upstreamStatus: number | undefined;
  /** Seconds after which another try makes sense; also sent as `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;
  /** Private, so that neither `inspect` nor `JSON.stringify` shows where a user was going. */
  #login: LoginOrigin | undefined;
  /** Whether a login helps as well, though the user is logged in: the trouble may last. Not enumerable. */
  declare readonly offersLogin: boolean;
  /** Whether the user may be logged in or logged out: a store failed while that was written. Not enumerable. */
  declare readonly leavesLoginUnknown: boolean;

  constructor(code: SalesforceRuntimeErrorCode, message: string, options: SalesforceAuthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: safeCause(options.cause) });
    const { status = 500, headers = {}, retryAfterSeconds } = options;
    this.code = code;
    this.status = status;
    this.statusCode = status;
    this.error = options.error;
    this.errorDescription = options.errorDescription;
    this.upstreamStatus = options.upstreamStatus;
    this.retryAfterSeconds = retryAfterSeconds;
    this.headers =
      retryAfterSeconds === undefined ? headers : { 'Retry-After': String(Math.ceil(retryAfterSeconds)), ...headers };
    Object.defineProperty(this, marker, { value: true });
    Object.defineProperty(this, 'offersLogin', { value: options.offersLogin === true });
    Object.defineProperty(this, 'leavesLoginUnknown', { value: options.leavesLoginUnknown === true });
  }

  /** The login that failed with this error, once it is known to be one of this browser. */
  get login(): LoginOrigin | undefined {
    return this.#login;
  }

  /** Notes the login that failed with this error. */
  set login(login: LoginOrigin | undefined) {
    this.#login = login;
  }

  /** Whether it passes by itself, so that the request may be tried again; otherwise an operator or user has to act first. */
  get isTransient(): boolean {
    return userMessageOf(this).isTransient;
  }

  /** A sentence that may be shown to any user, unlike `message`, which is for the operator. */
  get userMessage(): string {
    return userMessageOf(this).userMessage;
  }
}

/** What of an error decides what the user reads. */
interface UserVisible {
  readonly code: SalesforceErrorCode;
  readonly leavesLoginUnknown?: boolean | undefined;
}

/** What an error means to the person in front of the browser. */
export function userMessageOf({ code, leavesLoginUnknown }: UserVisible): UserMessage {
  return leavesLoginUnknown === true ? loginUnknown : userMessages[code];
}

/**
 * An error to hand to Express for whatever the application's code threw: Express takes `next(undefined)` for success, and a
 * promise may reject with anything.
 */
export function errorFrom(thrown: unknown): Error {
  if (isError(thrown)) return thrown;
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    'Code of the application failed, and gave no error object. Throw an Error, or reject with one.',
  );
}

/**
 * True for every error of this package, also when two copies of it are installed.
 *
 * @example
 * import express, { type ErrorRequestHandler } from 'express';
 * import { isSalesforceAuthError } from 'express-salesforce-auth';
 *
 * const app = express();
 * const logCode: ErrorRequestHandler = (error, _req, _res, next) => {
 *   if (isSalesforceAuthError(error)) console.error(error.code, error.message);
 *   next(error);
 * };
 * app.use(logCode);
 */
export function isSalesforceAuthError(error: unknown): error is SalesforceAuthError | SalesforceOptionError {
  return typeof error === 'object' && error !== null && marker in error;
}

/** Errors that nothing but a new login mends. */
const loginCodes: readonly string[] = [
  'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
  'ERR_SALESFORCE_CLIENT_CHANGED',
  'ERR_SALESFORCE_NOT_AUTHENTICATED',
];

/**
 * True when nothing but a new login helps; every other failure must leave the user logged in.
 *
 * @example
 * import express, { type ErrorRequestHandler } from 'express';
 * import { requiresLogin } from 'express-salesforce-auth';
 *
 * const app = express();
 * const toLogin: ErrorRequestHandler = (error, _req, res, next) => {
 *   if (requiresLogin(error)) res.redirect('/auth/salesforce');
 *   else next(error);
 * };
 * app.use(toLogin);
 */
export function requiresLogin(error: unknown): error is SalesforceAuthError {
  return isSalesforceAuthError(error) && loginCodes.includes(error.code);
}

/** A cause that holds nothing secret as it is. */
export class SafeCause extends Error {
  readonly code: string | undefined;

  /** @param original gives its name, and where it was thrown */
  constructor(message: string, code: string | undefined, original: unknown) {
    super(message);
    this.name = isError(original) ? original.name : 'Error';
    this.code = code;
    this.stack = `${this.name}: ${message}\n${isError(original) ? stackFrames(original) : ''}`;
  }
}

/**
 * Keeps of a foreign error what cannot hold a secret: its name, its system code and where it was thrown.
 *
 * HTTP and OAuth libraries put replies, and with them tokens, on their errors; JSON.parse quotes what it read.
 */
function safeCause(cause: unknown): unknown {
  if (isSalesforceAuthError(cause) || cause instanceof SafeCause) return cause;
  if (!isError(cause)) return undefined;
  const code = systemCode(cause);
  const safe = new Error(code === undefined ? cause.name : `${cause.name} (${code})`);
  safe.name = cause.name;
  if (code !== undefined) Object.assign(safe, { code });
  safe.stack = `${safe.name}: ${safe.message}\n${stackFrames(cause)}`;
  return safe;
}

/** The frames of a stack without the message, which may quote data. */
function stackFrames(error: Error): string {
  return (error.stack ?? '')
    .split('\n')
    .filter((line) => /^\s+at .*:\d+:\d+\)?$/.test(line))
    .join('\n');
}

/** The code a system error or an HTTP client reports (`ECONNREFUSED`, `UND_ERR_SOCKET`), its own or its cause's. */
export function systemCode(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; isError(current) && depth < 4; current = current.cause, depth++) {
    const code: unknown = (current as { code?: unknown }).code;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
  }
  return undefined;
}

/** Codes of undici, the client below `fetch`, for a request that it does not send: its headers or its options are wrong. */
const refusals: readonly (string | undefined)[] = ['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED'];

/** A length that the body does not have. Of a body that is a stream, a part may have been sent. */
const wrongLength = 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH';

/** Whether the HTTP client refused a request, so that it was not sent. */
export function isRefusedByClient(error: unknown): boolean {
  return refusals.includes(systemCode(error));
}

/** What is wrong with a request, in the words of the HTTP client; undefined if the request is not what failed. */
export function mistakeIn(error: unknown): string | undefined {
  if (!isRefusedByClient(error) && systemCode(error) !== wrongLength) return undefined;
  const { message, cause } = error as Error;
  return isError(cause) ? cause.message : message;
}

/** Not by `instanceof`: errors of Node itself are of another realm where the code runs in one of its own, as under jest. */
export function isError(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'message' in value && 'stack' in value;
}
