// @ts-check
import { EventEmitter } from 'node:events';

/**
 * What this process has seen of a grant, for the dashboard.
 *
 * @typedef {import('express-salesforce-auth').SalesforceEvents} Events
 *
 * @typedef {object} Attempt one run of a refresh
 * @property {number} at milliseconds since the epoch
 * @property {'refreshed' | 'tryLater' | 'inDoubt' | 'ended' | 'superseded'} outcome
 * @property {Events['refresh.started'][0]['cause']} cause why the refresh started
 * @property {number} durationMs
 * @property {boolean} [rotated] whether Salesforce sent a new refresh token too
 * @property {string | undefined} [code] of the error
 * @property {number} [retryInMs] time until the next attempt
 *
 * @typedef {object} Life
 * @property {number | undefined} issuedAt when the current token was issued; undefined if this process has not seen that
 * @property {number} refreshes number of successful refreshes
 * @property {boolean} isRefreshing
 * @property {Attempt[]} attempts the latest attempts, oldest first
 * @property {Readonly<Partial<Record<Events['token.served'][0]['from'], number>>>} served how often handlers received the
 *   token, by its source
 */

const keptAttempts = 6;
const keptLives = 1000;

/** @type {Life} */
const unknown = { issuedAt: undefined, refreshes: 0, isRefreshing: false, attempts: [], served: {} };

/**
 * Follows the events of the middleware. Emits `change` with the id of a grant that has changed, and `logout` after a session
 * of the grant has ended.
 *
 * @extends {EventEmitter<{ change: [grantId: string], logout: [grantId: string] }>}
 */
export class History extends EventEmitter {
  /** @type {Map<string, Life>} */
  #lives = new Map();

  /**
   * @param {Pick<import('express-salesforce-auth').SalesforceAuth, 'events'>} salesforce
   * @param {EventEmitter} [otherProcesses] the same events of other processes
   */
  constructor({ events }, otherProcesses) {
    super();
    // Each open dashboard has a listener, so there is no limit.
    this.setMaxListeners(0);
    this.#follow(events);
    if (otherProcesses) this.#follow(/** @type {typeof events} */ (otherProcesses));
  }

  /** @param {import('express-salesforce-auth').SalesforceAuth['events']} events */
  #follow(events) {
    events.on('login.succeeded', ({ grantId, tokens }) => {
      this.#update(grantId, tokens === 'kept' ? {} : { issuedAt: Date.now() });
    });
    events.on('token.served', ({ grantId, from }) => {
      // This event comes with every request, so it does not redraw the dashboard.
      const life = this.of(grantId);
      this.#keep(grantId, { ...life, served: { ...life.served, [from]: (life.served[from] ?? 0) + 1 } });
    });
    events.on('refresh.started', ({ grantId }) => this.#update(grantId, { isRefreshing: true }));
    events.on('refresh.succeeded', ({ grantId, ...details }) => {
      const refreshes = this.of(grantId).refreshes + 1;
      this.#update(grantId, { refreshes, issuedAt: Date.now() }, { outcome: 'refreshed', ...details });
    });
    events.on('refresh.failed', ({ grantId, ...details }) => {
      this.#update(grantId, {}, { outcome: 'tryLater', ...details });
    });
    events.on('refresh.doubted', ({ grantId, ...details }) =>
      this.#update(grantId, {}, { outcome: 'inDoubt', ...details }),
    );
    events.on('refresh.ended', ({ grantId, ...details }) =>
      this.#update(grantId, {}, { outcome: 'ended', ...details }),
    );
    events.on('refresh.superseded', ({ grantId, cause, durationMs }) => {
      this.#update(grantId, {}, { outcome: 'superseded', cause, durationMs });
    });
    events.on('grant.loggedOut', ({ grantId, ended }) => {
      if (ended) this.#lives.delete(grantId);
      this.emit('logout', grantId);
    });
  }

  /** @param {string} grantId */
  of(grantId) {
    return this.#lives.get(grantId) ?? unknown;
  }

  /**
   * @param {string} grantId
   * @param {Partial<Life>} changes
   * @param {Omit<Attempt, 'at'>} [attempt] an attempt that has ended
   */
  #update(grantId, changes, attempt) {
    const life = { ...this.of(grantId), isRefreshing: false, ...changes };
    if (attempt) life.attempts = [...life.attempts, { at: Date.now(), ...attempt }].slice(-keptAttempts);
    this.#keep(grantId, life);
    this.emit('change', grantId);
  }

  /**
   * @param {string} grantId
   * @param {Life} life
   */
  #keep(grantId, life) {
    // The grant moves to the end of the map. The first entry is then the oldest.
    this.#lives.delete(grantId);
    this.#lives.set(grantId, life);
    for (const oldest of this.#lives.keys()) {
      if (this.#lives.size <= keptLives) break;
      this.#lives.delete(oldest);
    }
  }
}
