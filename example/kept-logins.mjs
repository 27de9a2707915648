// @ts-check
/** Keeps sessions and grants in a folder, so that a restart logs no user out. For one machine, with Node.js 22.13 or later. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import session from 'express-session';
import { SqliteTokenStore } from 'express-salesforce-auth/stores/sqlite';

/** How long a session lives that no request uses, in milliseconds: its cookie ends with the browser. */
const idleMs = 24 * 60 * 60 * 1000;

/**
 * @typedef {{ exec(sql: string): void, close(): void, prepare(sql: string): {
 *   run(...values: unknown[]): unknown, get(...values: unknown[]): Record<string, unknown> | undefined } }} Database
 */

/**
 * @param {string} folder is made if it is new
 * @returns undefined if this Node.js has no SQLite
 */
export function keepLogins(folder) {
  const sqlite = /** @type {{ DatabaseSync: new (file: string) => Database } | undefined} */ (
    /** @type {{ getBuiltinModule?: (name: string) => unknown }} */ (process).getBuiltinModule?.('node:sqlite')
  );
  if (!sqlite) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const store = new SqliteTokenStore({ file: join(folder, 'grants.db') });
  const database = new sqlite.DatabaseSync(join(folder, 'sessions.db'));
  return {
    store,
    sessionStore: new SqliteSessions(database),
    secret: secretIn(folder),
    async close() {
      await store.close();
      database.close();
    },
  };
}

/**
 * What signs cookies and encrypts tokens has to stay the same. In an application of yours it comes from a secret store.
 *
 * @param {string} folder
 */
function secretIn(folder) {
  const file = join(folder, 'secret');
  try {
    writeFileSync(file, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8');
}

/** Sessions of express-session in SQLite. */
class SqliteSessions extends session.Store {
  #database;

  /** @param {Database} database */
  constructor(database) {
    super();
    this.#database = database;
    database.exec(`pragma journal_mode = wal;
      create table if not exists sessions (id text primary key, ends_at real not null, content text not null)`);
  }

  /** @type {session.Store['get']} */
  get(id, done) {
    this.#run(done, () => {
      const sql = 'select content from sessions where id = ? and ends_at > ?';
      const row = this.#database.prepare(sql).get(id, Date.now());
      return row ? JSON.parse(String(row.content)) : null;
    });
  }

  /** @type {session.Store['set']} */
  set(id, content, done) {
    this.#run(done, () => {
      this.#database.prepare('delete from sessions where ends_at <= ?').run(Date.now());
      const sql = 'insert or replace into sessions values (?, ?, ?)';
      this.#database.prepare(sql).run(id, Date.now() + idleMs, JSON.stringify(content));
    });
  }

  /**
   * @param {string} id
   * @param {session.SessionData} _content
   * @param {() => void} [done]
   * @override
   */
  touch(id, _content, done) {
    this.#run(done, () => {
      this.#database.prepare('update sessions set ends_at = ? where id = ?').run(Date.now() + idleMs, id);
    });
  }

  /** @type {session.Store['destroy']} */
  destroy(id, done) {
    this.#run(done, () => {
      this.#database.prepare('delete from sessions where id = ?').run(id);
    });
  }

  /**
   * @param {((error?: any, result?: any) => void) | undefined} done
   * @param {() => unknown} work
   */
  #run(done, work) {
    let result;
    try {
      result = work();
    } catch (error) {
      done?.(error);
      return;
    }
    done?.(null, result);
  }
}
