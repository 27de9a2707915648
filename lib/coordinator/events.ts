import { EventEmitter } from 'node:events';
import type { SalesforceErrorCode } from '../errors';

/** What happens to tokens, for logs and dashboards. No event carries a token, a code, a secret or personal data. */
export interface SalesforceEvents {
  /** A refresh token is about to be presented. */
  'refresh.start': [{ grantId: string }];
  /** New tokens are stored, and only now in use. */
  'refresh.success': [{ grantId: string; durationMs: number; rotated: boolean }];
  /** A refresh failed and will be tried again; the grant lives. */
  'refresh.transient': [{ grantId: string; code: SalesforceErrorCode | undefined; retryInMs: number }];
  /** Nobody can tell whether the refresh token was spent; it is not presented before that is known. */
  'refresh.held': [{ grantId: string; code: SalesforceErrorCode | undefined }];
  /** The grant is over: the user has to log in again. */
  'refresh.lost': [{ grantId: string; code: SalesforceErrorCode | undefined }];
  /** Another process is refreshing; this one waits for it. */
  'lock.wait': [{ grantId: string }];
  /** The token store did not answer. */
  'store.error': [{ operation: string }];
  /** A token was revoked at Salesforce, or could not be after all tries. */
  revoke: [{ grantId: string; succeeded: boolean }];
  /** A user logged in. */
  login: [{ grantId: string }];
  /** A session logged out; `ended` where it was the last one and the grant was revoked. */
  logout: [{ grantId: string; ended: boolean }];
}

/** Emitter of {@link SalesforceEvents}. A listener that throws stops nothing: an event is news, not control. */
export class EventHub {
  readonly emitter: EventEmitter<SalesforceEvents> = new EventEmitter<SalesforceEvents>();

  emit<Name extends keyof SalesforceEvents>(name: Name, ...news: SalesforceEvents[Name]): void {
    for (const listener of this.emitter.listeners(name)) {
      try {
        (listener as (...given: SalesforceEvents[Name]) => void)(...news);
      } catch {
        // A dashboard must not be able to fail a refresh.
      }
    }
  }
}
