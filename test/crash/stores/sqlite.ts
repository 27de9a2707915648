import { SqliteFile } from '../sqlite';
import { storeOptionsOf, type Stage } from '../stage';
import type { StoreServer } from '../store-server';

const [table, away] = ['salesforce_grants', 'salesforce_grants_away'];

/** A file has no server that could be stopped. It is harmed by a process beside the application, which uses the same file. */
export class SqliteServer implements StoreServer {
  readonly #stage: Stage;
  readonly #file: SqliteFile;
  readonly #isOwn: boolean;

  private constructor(stage: Stage, file: SqliteFile, isOwn: boolean) {
    this.#stage = stage;
    this.#file = file;
    this.#isOwn = isOwn;
  }

  static async of(stage: Stage, isOwn: boolean): Promise<StoreServer> {
    return new SqliteServer(stage, isOwn ? await SqliteFile.open() : stage.file!, isOwn);
  }

  get options(): object {
    return storeOptionsOf(this.#stage, this.#file.path);
  }

  /** Each operation fails at once. */
  async goDown(): Promise<void> {
    await this.#file.run(`alter table ${table} rename to ${away}`);
  }

  async comeBack(): Promise<void> {
    await this.#file.run(`alter table ${away} rename to ${table}`);
  }

  /** Another process stands still in the middle of a write. */
  async freeze(): Promise<void> {
    await this.#file.run('begin immediate');
  }

  async thaw(): Promise<void> {
    await this.#file.run('rollback');
  }

  async restartEmpty(clientID: string): Promise<void> {
    await this.#file.run(`delete from ${table} where client_id = ?`, clientID);
  }

  async snapshot(clientID: string, userId: string): Promise<{ restore: () => Promise<void> }> {
    const where = 'where client_id = ? and user_id = ?';
    const [row] = await this.#file.run(`select * from ${table} ${where}`, clientID, userId);
    const values = Object.values(row as Record<string, string | number | null>);
    return {
      restore: async () => {
        await this.#file.run(`insert or replace into ${table} values (${values.map(() => '?').join()})`, ...values);
      },
    };
  }

  async setSchema(grantId: string, schema: number): Promise<void> {
    await this.#file.run(`update ${table} set schema_version = ? where grant_id = ?`, schema, grantId);
  }

  async makeDue(grantId: string): Promise<void> {
    await this.#file.run(`update ${table} set record = json_set(record, '$.softAt', 1) where grant_id = ?`, grantId);
  }

  async contentOf(grantId: string): Promise<string> {
    return JSON.stringify(await this.#file.run(`select * from ${table} where grant_id = ?`, grantId));
  }

  async close(): Promise<void> {
    if (this.#isOwn) await this.#file.end();
  }
}
