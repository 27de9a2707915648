import { channel, type Channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { debugEvents } from '../debug';
import type { SalesforceErrorCode } from '../errors';

/**
 * Where a token that was handed out came from.
 *
 * - `memory`: this process knew it; nothing was asked
 * - `store`: it was read from the token store
 * - `refreshed`: the request waited for a refresh, here or in another process
 * - `stale`: a refresh is due or failed for now, and the token is handed out meanwhile
 */
export type ServedFrom = 'memory' | 'store' | 'refreshed' | 'stale';

/**
 * Why a refresh began.
 *
 * - `soft`: the token nears its end; nobody waits
 * - `hard`: the token has ended, or is presumed to have
 * - `rejected`: Salesforce refused the access token
 * - `sweep`: in the background, so that the grant does not end unused
 */
export type RefreshCause = 'soft' | 'hard' | 'rejected' | 'sweep';

/** Methods of a `TokenStore` that can fail. */
export type StoreOperation =
  | 'read'
  | 'put'
  | 'claim'
  | 'renew'
  | 'arm'
  | 'settle'
  | 'commit'
  | 'reference'
  | 'release'
  | 'list'
  | 'takeIdle'
  | 'claimOnce'
  | 'resolveClaim';

/**
 * What happens to tokens, for logs and dashboards. No event carries a token, a code, a secret or personal data.
 *
 * Each is emitted on `salesforce.events`, and published to the channel `express-salesforce-auth:<event>` of
 * `node:diagnostics_channel`. Durations are in milliseconds.
 */
export interface SalesforceEvents {
  /** A valid access token was handed out: by a guard, `getAccessToken()`, `fetch()`, `connection()` or `tokens.get()`. */
  'token.served': [{ grantId: string; from: ServedFrom }];
  /** No valid access token was to be had; the caller got an error with this code. */
  'token.failed': [{ grantId: string; code: SalesforceErrorCode | undefined }];
  /** A refresh token is about to be presented. One of the next five tells how it ended. */
  'refresh.start': [{ grantId: string; cause: RefreshCause }];
  /** New tokens are stored, and only now in use. */
  'refresh.success': [{ grantId: string; cause: RefreshCause; durationMs: number; rotated: boolean }];
  /** A refresh failed and will be tried again; the grant lives. */
  'refresh.transient': [
    {
      grantId: string;
      cause: RefreshCause;
      durationMs: number;
      code: SalesforceErrorCode | undefined;
      retryInMs: number;
    },
  ];
  /**
   * Nobody can tell whether the refresh token was spent; it is not presented before that is known. Without `refresh.start`
   * where another process left the grant like that; `code` is undefined then, and `durationMs` 0.
   */
  'refresh.held': [{ grantId: string; cause: RefreshCause; durationMs: number; code: SalesforceErrorCode | undefined }];
  /**
   * The grant is over: the user has to log in again. Without `refresh.start`, and with a `durationMs` of 0, where nothing
   * was presented to find out.
   */
  'refresh.lost': [{ grantId: string; cause: RefreshCause; durationMs: number; code: SalesforceErrorCode | undefined }];
  /**
   * A refresh came home to a grant that was logged out meanwhile, or had newer tokens (`update`). What it brought, if
   * anything, is not used, and revoked.
   */
  'refresh.overtaken': [{ grantId: string; cause: RefreshCause; durationMs: number; by: 'update' | 'logout' }];
  /** Somebody else is refreshing the grant, and this process begins to wait for it. */
  'lock.wait': [{ grantId: string }];
  /** The wait is over, whatever came of it. */
  'lock.waited': [{ grantId: string; durationMs: number }];
  /** The token store did not do what it was asked. */
  'store.failed': [{ operation: StoreOperation; code: string | undefined; reason: string; durationMs: number }];
  /** A token was revoked at Salesforce, or could not be after all tries. */
  revoke: [{ grantId: string; succeeded: boolean; durationMs: number }];
  /** A login came back from Salesforce and failed; `reason` is the operator's message. */
  'login.failed': [{ code: SalesforceErrorCode | undefined; reason: string }];
  /** A user logged in: the grant is new, has new tokens, or kept its own because the new ones could do less. */
  login: [{ grantId: string; tokens: 'new' | 'replaced' | 'kept' }];
  /**
   * This process looked for grants that nobody uses, where the option `keepAlive` is set: so many were refreshed, had ended
   * or were ended, and could not be refreshed for now.
   */
  keepalive: [{ refreshed: number; ended: number; failed: number; durationMs: number }];
  /** A session logged out; `ended` where it was the last one and the grant was revoked. */
  logout: [{ grantId: string; ended: boolean }];
}

/** Name of an event. */
export type SalesforceEventName = keyof SalesforceEvents;

/** Data of an event. */
export type SalesforceEvent<Name extends SalesforceEventName> = SalesforceEvents[Name][0];

/** Channels are the process's: held here, so that each is looked up once. */
const channels: { readonly [Name in SalesforceEventName]: Channel } = {
  'token.served': channelOf('token.served'),
  'token.failed': channelOf('token.failed'),
  'refresh.start': channelOf('refresh.start'),
  'refresh.success': channelOf('refresh.success'),
  'refresh.transient': channelOf('refresh.transient'),
  'refresh.held': channelOf('refresh.held'),
  'refresh.lost': channelOf('refresh.lost'),
  'refresh.overtaken': channelOf('refresh.overtaken'),
  'lock.wait': channelOf('lock.wait'),
  'lock.waited': channelOf('lock.waited'),
  'store.failed': channelOf('store.failed'),
  revoke: channelOf('revoke'),
  'login.failed': channelOf('login.failed'),
  login: channelOf('login'),
  logout: channelOf('logout'),
  keepalive: channelOf('keepalive'),
};

/** All events, for those who want every one. */
export const eventNames: readonly SalesforceEventName[] = Object.keys(channels) as SalesforceEventName[];

function channelOf(name: SalesforceEventName): Channel {
  return channel(`express-salesforce-auth:${name}`);
}

/**
 * Emitter of {@link SalesforceEvents}. A listener that throws or rejects stops nothing: an event is news, not control.
 */
export class EventHub {
  readonly emitter: EventEmitter<SalesforceEvents> = new EventEmitter<SalesforceEvents>();

  emit<Name extends SalesforceEventName>(name: Name, event: SalesforceEvent<Name>): void {
    // Node itself keeps what a subscriber throws from coming back here.
    channels[name].publish(event);
    // Raw, so that one that was added with `once` takes itself off.
    for (const listener of this.emitter.rawListeners(name)) {
      try {
        const answer: unknown = (listener as (event: SalesforceEvent<Name>) => unknown).call(this.emitter, event);
        if (answer instanceof Promise) answer.catch(() => debugEvents('a listener of %s rejected', name));
      } catch {
        // A dashboard must not be able to fail a refresh.
        debugEvents('a listener of %s threw', name);
      }
    }
  }

  /** `token.served`, which is emitted on every request: nothing is built where nobody listens. */
  served(grantId: string, from: ServedFrom): void {
    if (channels['token.served'].hasSubscribers || this.emitter.listenerCount('token.served') > 0) {
      this.emit('token.served', { grantId, from });
    }
  }
}
