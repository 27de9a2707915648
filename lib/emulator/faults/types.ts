import type { RecordedRequest } from '../http/exchange';

/**
 * The requests that a fault hits. `token` means every grant of the token endpoint; `data` everything under `/services/data`;
 * `hosted-api` everything at `apiUrl`.
 */
export type FaultOperation =
  | 'refresh'
  | 'code'
  | 'token'
  | 'authorize'
  | 'introspect'
  | 'revoke'
  | 'userinfo'
  | 'identity'
  | 'data'
  | 'hosted-api';

/** What goes wrong. */
export type FaultKind =
  /** Another status. Default body: a line of HTML, as a load balancer sends. */
  | { kind: 'status'; status: number; retryAfterSeconds?: number; body?: string | Record<string, unknown> }
  /**
   * An error in the format of the endpoint: JSON at the token endpoint, a form at `revoke`, plain text at
   * `userinfo` and `identity`, an array at `data` (`error` is the errorCode), a redirect at `authorize`. Use
   * it for errors of `data` that no refresh can solve: 403 REQUEST_LIMIT_EXCEEDED, or 401 INVALID_SESSION_ID with the
   * description "Connected app is not attached to Agent" or "This session is not valid for use with the REST API". With
   * `page`, `authorize` shows the error on a page, as Salesforce does if it does not trust the app or its callback URL.
   */
  | { kind: 'error'; error: string; errorDescription?: string; status?: number; page?: boolean }
  /** The connection is destroyed without a reply. */
  | { kind: 'drop' }
  /** The reply is delayed, or until `release()`. */
  | { kind: 'delay'; delayMs: number }
  /** The emulator never answers. The request ends when the client disconnects or the emulator stops. */
  | { kind: 'hang' }
  /** A web page with status 200, as from a captive portal or a maintenance page. */
  | { kind: 'html' }
  /** Status 200 without a body. */
  | { kind: 'empty' }
  /** Half the reply. Then the connection is destroyed, or ends normally if `complete` is set. */
  | { kind: 'truncated'; complete?: boolean }
  /** A reply padded to more than `bytes` bytes. Default 10 MiB. */
  | { kind: 'oversized'; bytes?: number }
  /** The reply is sent byte by byte. Default: one byte in 100 ms. */
  | { kind: 'drip'; intervalMs?: number }
  /** A redirect. Default status 302. */
  | { kind: 'redirect'; location: string; status?: number }
  /**
   * The JSON reply, changed: for instance with another `id` or a wrong signature. This fault always comes after the
   * operation.
   */
  | { kind: 'reply'; change: (reply: Record<string, unknown>) => Record<string, unknown> }
  /** The request waits until `release()`. A refresh holds the lock of its refresh token while it waits. */
  | { kind: 'hold' };

/** A fault to inject. */
export type FaultInjection = FaultKind & {
  on: FaultOperation;
  /** How many requests it hits. Default 1; `Infinity` for all. */
  times?: number;
  /**
   * Whether the fault comes before or after the operation. Default `before`. `{ on: 'refresh', kind: 'drop', when: 'after' }`
   * loses the reply after the rotation.
   */
  when?: 'before' | 'after';
  /** Which requests it hits. Default: all. */
  match?: (request: RecordedRequest) => boolean;
};

/** Controls one injected fault. */
export interface FaultHandle {
  /** Resolves when the first request reaches the fault. */
  readonly reached: Promise<void>;
  /** How many requests it has hit so far. */
  readonly hits: number;
  /** Releases the requests that the fault holds or delays. */
  release(): void;
  /** Removes the fault and releases the requests that it holds or delays. */
  remove(): void;
}
