// @ts-check
import { EventEmitter } from 'node:events';

/**
 * What was seen of one grant, for the dashboard.
 *
 * @typedef {import('express-salesforce-auth').SalesforceEvents} Events
 *
 * @typedef {object} Attempt one try to refresh
 * @property {number} at milliseconds since the epoch
 * @property {'success' | 'transient' | 'held' | 'lost' | 'overtaken'} outcome
 * @property {Events['refresh.started'][0]['cause']} cause why it was made
 * @property {number} durationMs
 * @property {boolean} [rotated] whether there is a new refresh token as well
 * @property {string | undefined} [code] of the error
 * @property {number} [retryInMs] when it will be tried again
 *
 * @typedef {object} Life
 * @property {number | undefined} issuedAt when the token in use was issued; undefined where this process did not see it
 * @property {number} refreshes how often it was renewed
 * @property {boolean} isRefreshing
 * @property {Attempt[]} attempts the latest ones, oldest first
 * @property {Readonly<Partial<Record<Events['token.served'][0]['from'], number>>>} served how often it was handed out
 */

const keptAttempts = 6;
const keptLives = 1000;

/** @type {Life} */
const unknown = { issuedAt: undefined, refreshes: 0, isRefreshing: false, attempts: [], served: {} };

/**
 * Follows the events of the middleware. Emits `change` with a grant's id when there is something new, and `logout` when a
 * session of the grant has ended.
 *
 * @extends {EventEmitter<{ change: [grantId: string], logout: [grantId: string] }>}
 */
export class History extends EventEmitter {
  /** @type {Map<string, Life>} */
  #lives = new Map();

  /**
   * @param {Pick<import('express-salesforce-auth').SalesforceAuth, 'events'>} salesforce
   * @param {EventEmitter} [elsewhere] the same events of other processes
   */
  constructor({ events }, elsewhere) {
    super();
    // One listener for each dashboard that is open.
    this.setMaxListeners(0);
    this.#follow(events);
    if (elsewhere) this.#follow(/** @type {typeof events} */ (elsewhere));
  }

  /** @param {import('express-salesforce-auth').SalesforceAuth['events']} events */
  #follow(events) {
    events.on('login.succeeded', ({ grantId, tokens }) => {
      this.#update(grantId, tokens === 'kept' ? {} : { issuedAt: Date.now() });
    });
    events.on('token.served', ({ grantId, from }) => {
      // On every request, so this alone redraws nothing.
      const life = this.of(grantId);
      this.#keep(grantId, { ...life, served: { ...life.served, [from]: (life.served[from] ?? 0) + 1 } });
    });
    events.on('refresh.started', ({ grantId }) => this.#update(grantId, { isRefreshing: true }));
    events.on('refresh.succeeded', ({ grantId, ...news }) => {
      const refreshes = this.of(grantId).refreshes + 1;
      this.#update(grantId, { refreshes, issuedAt: Date.now() }, { outcome: 'success', ...news });
    });
    events.on('refresh.failed', ({ grantId, ...news }) => {
      this.#update(grantId, {}, { outcome: 'transient', ...news });
    });
    events.on('refresh.doubted', ({ grantId, ...news }) => this.#update(grantId, {}, { outcome: 'held', ...news }));
    events.on('refresh.ended', ({ grantId, ...news }) => this.#update(grantId, {}, { outcome: 'lost', ...news }));
    events.on('refresh.superseded', ({ grantId, cause, durationMs }) => {
      this.#update(grantId, {}, { outcome: 'overtaken', cause, durationMs });
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
   * @param {Omit<Attempt, 'at'>} [attempt] that has come to its end
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
    // The latest last, so that the first is the one to forget.
    this.#lives.delete(grantId);
    this.#lives.set(grantId, life);
    for (const oldest of this.#lives.keys()) {
      if (this.#lives.size <= keptLives) break;
      this.#lives.delete(oldest);
    }
  }
}
