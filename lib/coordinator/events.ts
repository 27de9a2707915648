import { channel, type Channel } from 'node:diagnostics_channel';
import { EventEmitter } from 'node:events';
import { debugEvents } from '../debug';
import type { SalesforceErrorCode } from '../errors';
import type { Verdict } from './refresh/verdict';

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
 * - `soft`: the token nears its end; no request waits
 * - `hard`: the token has ended, or is presumed to have
 * - `rejected`: Salesforce refused the access token
 * - `unwanted`: a host of `apiHosts` refused the access token, or the organization may have moved; the instance may still take it
 * - `login`: a login brought tokens that can do less, and the grant has to prove that it is still good
 * - `sweep`: in the background, so that the grant does not end unused
 * - `adoption`: a refresh token that the application had before shows whose it is; `grantId` names the adoption
 */
export type RefreshCause = 'soft' | 'hard' | 'rejected' | 'unwanted' | 'login' | 'sweep' | 'adoption';

/** Methods of a `TokenStore` that can fail. */
export type StoreOperation =
  | 'read'
  | 'put'
  | 'claim'
  | 'renew'
  | 'arm'
  | 'releaseClaim'
  | 'commit'
  | 'addHolder'
  | 'logOut'
  | 'list'
  | 'takeIdle'
  | 'reseal'
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
  'refresh.started': [{ grantId: string; cause: RefreshCause }];
  /** New tokens are stored, and only now in use. */
  'refresh.succeeded': [{ grantId: string; cause: RefreshCause; durationMs: number; rotated: boolean }];
  /**
   * A refresh failed and will be tried again; the grant is kept. With the code `ERR_SALESFORCE_REFUSAL_UNKNOWN` Salesforce
   * refused it with a text this package does not know, and says at the same time that the refresh token is good.
   */
  'refresh.failed': [
    {
      grantId: string;
      cause: RefreshCause;
      durationMs: number;
      code: SalesforceErrorCode | undefined;
      /** What the answer means for the grant; see docs/reference/verdicts.md. */
      verdict: Verdict;
      retryInMs: number;
    },
  ];
  /**
   * The grant is in doubt: the refresh token may have been spent, and is not presented before that is known. There is no
   * `refresh.started` if another process left the grant in doubt; `code` is undefined then, and `durationMs` is 0.
   */
  'refresh.doubted': [
    { grantId: string; cause: RefreshCause; durationMs: number; code: SalesforceErrorCode | undefined },
  ];
  /**
   * The grant has ended: the user has to log in again as soon as the access token stops working. There is no
   * `refresh.started` if no refresh token was presented to find that out.
   */
  'refresh.ended': [
    { grantId: string; cause: RefreshCause; durationMs: number; code: SalesforceErrorCode | undefined },
  ];
  /**
   * A refresh found that its grant was logged out meanwhile, or had newer tokens (`update`). What it brought, if anything, is
   * not used, and revoked.
   */
  'refresh.superseded': [{ grantId: string; cause: RefreshCause; durationMs: number; by: 'update' | 'logout' }];
  /** Another process has claimed the grant, and this process begins to wait for it. */
  'claim.delayed': [{ grantId: string }];
  /** This process waited for the claim of another one, whatever came of it. */
  'claim.waited': [{ grantId: string; durationMs: number }];
  /** A refresh found the grant at another host or instance, which it uses from now on. */
  'grant.moved': [{ grantId: string; baseUrl: string; instanceUrl: string }];
  /** The token store did not do what it was asked. */
  'store.failed': [{ operation: StoreOperation; code: string | undefined; reason: string; durationMs: number }];
  /** A login failed: at its begin, at its callback, or with credentials. `reason` is the operator's message. */
  'login.failed': [{ code: SalesforceErrorCode | undefined; reason: string }];
  /** A token was revoked at Salesforce. */
  'revocation.succeeded': [{ grantId: string; durationMs: number }];
  /**
   * A token could not be revoked, after all tries. `code` is `ERR_SALESFORCE_GRANT_UNREADABLE` if the grant did not open, so
   * that nothing was tried.
   */
  'revocation.failed': [{ grantId: string; durationMs: number; code: SalesforceErrorCode | undefined }];
  /** A user logged in: the grant is new, has new tokens, or kept its own because the new ones could do less. */
  'login.succeeded': [{ grantId: string; tokens: 'new' | 'replaced' | 'kept' }];
  /**
   * A refresh token that the application had before was adopted: the user's grant is new, has these tokens, or kept its own
   * because they are alive and can do as much.
   */
  'grant.adopted': [{ grantId: string; tokens: 'new' | 'replaced' | 'kept' }];
  /**
   * This process looked for grants that no request uses, as the option `refresh.keepAlive` says: so many were refreshed, had
   * ended or were ended, could not be refreshed for now, and were left alone because they are not in use.
   */
  'keepAlive.finished': [{ refreshed: number; ended: number; failed: number; unused: number; durationMs: number }];
  /**
   * Salesforce lets the refresh token of this grant end soon, because it was not used: the grant is not kept alive, or could
   * not be refreshed. Told by each process that looks for idle grants, at most once a day for each grant.
   */
  'grant.expiring': [
    {
      grantId: string;
      /** When it ends unless it is refreshed before. */
      idleUntil: Date;
      /** Whether a session holds it. */
      isHeld: boolean;
    },
  ];
  /** A session logged out; `ended` if it was the last one and the grant was revoked. */
  'grant.loggedOut': [{ grantId: string; ended: boolean }];
}

/** Name of an event. */
export type SalesforceEventName = keyof SalesforceEvents;

/** Data of an event. */
export type SalesforceEvent<Name extends SalesforceEventName> = SalesforceEvents[Name][0];

/** The channels of this process. Each is looked up once and kept here. */
const channels: { readonly [Name in SalesforceEventName]: Channel } = {
  'token.served': channelOf('token.served'),
  'token.failed': channelOf('token.failed'),
  'refresh.started': channelOf('refresh.started'),
  'refresh.succeeded': channelOf('refresh.succeeded'),
  'refresh.failed': channelOf('refresh.failed'),
  'refresh.doubted': channelOf('refresh.doubted'),
  'refresh.ended': channelOf('refresh.ended'),
  'refresh.superseded': channelOf('refresh.superseded'),
  'claim.delayed': channelOf('claim.delayed'),
  'claim.waited': channelOf('claim.waited'),
  'grant.moved': channelOf('grant.moved'),
  'grant.expiring': channelOf('grant.expiring'),
  'grant.adopted': channelOf('grant.adopted'),
  'grant.loggedOut': channelOf('grant.loggedOut'),
  'store.failed': channelOf('store.failed'),
  'revocation.succeeded': channelOf('revocation.succeeded'),
  'revocation.failed': channelOf('revocation.failed'),
  'login.succeeded': channelOf('login.succeeded'),
  'keepAlive.finished': channelOf('keepAlive.finished'),
  'login.failed': channelOf('login.failed'),
};

/** All events, for those who want every one. */
export const eventNames: readonly SalesforceEventName[] = Object.keys(channels) as SalesforceEventName[];

function channelOf(name: SalesforceEventName): Channel {
  return channel(`express-salesforce-auth:${name}`);
}

/**
 * Emitter of {@link SalesforceEvents}. A listener that throws or rejects does not stop what the event reports.
 */
export class EventHub {
  readonly emitter: EventEmitter<SalesforceEvents> = new EventEmitter<SalesforceEvents>();

  emit<Name extends SalesforceEventName>(name: Name, event: SalesforceEvent<Name>): void {
    // Node itself keeps what a subscriber throws from coming back here.
    channels[name].publish(event);
    // The raw listeners, so that a listener of `once` removes itself.
    for (const listener of this.emitter.rawListeners(name)) {
      try {
        const answer: unknown = (listener as (event: SalesforceEvent<Name>) => unknown).call(this.emitter, event);
        if (answer instanceof Promise) answer.catch(() => debugEvents('a listener of %s rejected', name));
      } catch {
        // A faulty listener must not fail a refresh.
        debugEvents('a listener of %s threw', name);
      }
    }
  }

  /** Emits `token.served`. Each request emits this event, so its data is made only if there is a listener. */
  served(grantId: string, from: ServedFrom): void {
    if (channels['token.served'].hasSubscribers || this.emitter.listenerCount('token.served') > 0) {
      this.emit('token.served', { grantId, from });
    }
  }
}
