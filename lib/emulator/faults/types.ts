import type { RecordedRequest } from '../http/exchange';

/** Where a fault strikes. `token` means both grants of the token endpoint; `data` everything under `/services/data`, `hosted-api` everything at `apiUrl`. */
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
   * An error in the shape the endpoint has for errors: JSON at the token endpoint, a form at `revoke`, plain text at
   * `userinfo` and `identity`, an array at `data` (`error` is the errorCode), a redirect at `authorize`. With it, `data`
   * answers 403 REQUEST_LIMIT_EXCEEDED, or the 401s that no refresh mends: INVALID_SESSION_ID with the description
   * "Connected app is not attached to Agent" or "This session is not valid for use with the REST API". With `page`,
   * `authorize` shows it on a page instead, as Salesforce does where it does not trust the app or its callback URL.
   */
  | { kind: 'error'; error: string; errorDescription?: string; status?: number; page?: boolean }
  /** The connection is destroyed without a reply. */
  | { kind: 'drop' }
  /** The reply comes late. */
  | { kind: 'delay'; delayMs: number }
  /** Nothing is ever answered. The request is given up when the client leaves or the emulator stops. */
  | { kind: 'hang' }
  /** A web page with status 200, as from a captive portal or a maintenance page. */
  | { kind: 'html' }
  /** Status 200 without a body. */
  | { kind: 'empty' }
  /** Half the reply; then the connection is destroyed, or ends properly where `complete` is set. */
  | { kind: 'truncated'; complete?: boolean }
  /** A reply padded to more than `bytes` bytes. Default 10 MiB. */
  | { kind: 'oversized'; bytes?: number }
  /** The reply comes one byte at a time. Default: one in 100 ms. */
  | { kind: 'drip'; intervalMs?: number }
  /** A redirect. Default status 302. */
  | { kind: 'redirect'; location: string; status?: number }
  /** The JSON reply, edited: a foreign `id`, a wrong signature. It always strikes after the operation. */
  | { kind: 'reply'; change: (reply: Record<string, unknown>) => Record<string, unknown> }
  /** The request waits until `release()`, with the refresh token's lock taken. */
  | { kind: 'hold' };

/** A fault to inject. */
export type FaultInjection = FaultKind & {
  on: FaultOperation;
  /** How many requests it strikes. Default 1; `Infinity` for all. */
  times?: number;
  /**
   * Before or after the operation took effect. Default `before`. `{ on: 'refresh', kind: 'drop', when: 'after' }` is the
   * reply that is lost after the rotation.
   */
  when?: 'before' | 'after';
  /** Which requests it strikes. Default: any. */
  match?: (request: RecordedRequest) => boolean;
};

/** Controls one injected fault. */
export interface FaultHandle {
  /** Resolves when a request has arrived at the fault. */
  readonly reached: Promise<void>;
  /** How many requests it has struck so far. */
  readonly hits: number;
  /** Lets requests held by it go on. */
  release(): void;
  /** Takes the fault away; what it holds goes on. */
  remove(): void;
}
