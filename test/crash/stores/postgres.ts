import { Line } from '../proxy';
import { storeOptionsOf, type Stage } from '../stage';
import type { StoreServer } from '../store-server';

/** PostgreSQL is harmed on the line to it, and by changing what is in its table. */
export class PostgresServer implements StoreServer {
  readonly #stage: Stage;
  readonly #line: Line | undefined;

  private constructor(stage: Stage, line?: Line) {
    this.#stage = stage;
    this.#line = line;
  }

  static async of(stage: Stage, isOwn: boolean): Promise<StoreServer> {
    return new PostgresServer(stage, isOwn ? await Line.to(Number(new URL(stage.url).port)) : undefined);
  }

  get options(): object {
    const url = new URL(this.#stage.url);
    if (this.#line) url.port = String(this.#line.port);
    return storeOptionsOf(this.#stage, url.href);
  }

  async goDown(): Promise<void> {
    await this.#line!.cut();
  }

  async comeBack(): Promise<void> {
    await this.#line!.mend();
  }

  freeze(): Promise<void> {
    this.#line!.freeze();
    return Promise.resolve();
  }

  thaw(): Promise<void> {
    this.#line!.thaw();
    return Promise.resolve();
  }

  /** A database restored from nothing. */
  async restartEmpty(clientID: string): Promise<void> {
    await this.#line!.cut();
    await this.#query(`delete from ${this.#stage.name} where client_id = $1`, [clientID]);
    await this.#line!.mend();
  }

  async snapshot(clientID: string, userId: string): Promise<{ restore: () => Promise<void> }> {
    const { name } = this.#stage;
    const owner = [clientID, userId];
    const [row] = await this.#query(
      `select row_to_json(t)::text as row from ${name} t where client_id = $1 and user_id = $2`,
      owner,
    );
    return {
      restore: async () => {
        await this.#query(`delete from ${name} where client_id = $1 and user_id = $2`, owner);
        await this.#query(`insert into ${name} select * from json_populate_record(null::${name}, $1::json)`, [
          row!['row'],
        ]);
      },
    };
  }

  async setSchema(grantId: string, schema: number): Promise<void> {
    await this.#query(`update ${this.#stage.name} set schema_version = $2 where grant_id = $1`, [grantId, schema]);
  }

  async makeDue(grantId: string): Promise<void> {
    await this.#query(`update ${this.#stage.name} set soft_at = clock_timestamp() where grant_id = $1`, [grantId]);
  }

  async contentOf(grantId: string): Promise<string> {
    const sql = `select row_to_json(t)::text as row from ${this.#stage.name} t where grant_id = $1`;
    return JSON.stringify(await this.#query(sql, [grantId]));
  }

  async close(): Promise<void> {
    await this.#line?.close();
  }

  async #query(sql: string, values: unknown[]): Promise<Record<string, unknown>[]> {
    return (await this.#stage.database!.query<Record<string, unknown>>(sql, values)).rows;
  }
}
