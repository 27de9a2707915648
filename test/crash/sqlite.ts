import { join } from 'node:path';
import type { GrantRecord } from '../../lib/stores';
import { temporaryFolder } from '../stores/servers/programs';
import { Worker } from './workers';

/** The Node.js that has SQLite, for processes that use the file. The tests may run on a Node.js without it. */
export const nodeWithSqlite = (): string => process.env['SQLITE_NODE_PATH'] ?? process.execPath;

/** A SQLite file, and a process that looks into it and harms it. */
export class SqliteFile {
  readonly path: string;
  readonly #program: Worker;
  readonly #remove: () => void;

  private constructor(path: string, program: Worker, remove: () => void) {
    this.path = path;
    this.#program = program;
    this.#remove = remove;
  }

  /** A new file with the tables of the store. */
  static async open(): Promise<SqliteFile> {
    const folder = temporaryFolder();
    const program = await Worker.start(require.resolve('./sqlite-program.mjs'), nodeWithSqlite());
    const file = new SqliteFile(join(folder.path, 'tokens.db'), program, folder.remove);
    await program.call('open', { file: file.path });
    return file;
  }

  run(sql: string, ...values: (string | number | null)[]): Promise<object[]> {
    return this.#program.call('run', { sql, values });
  }

  async read(grantId: string): Promise<GrantRecord | undefined> {
    return (await this.#program.call<GrantRecord | null>('read', { grantId })) ?? undefined;
  }

  async end(): Promise<void> {
    await this.#program.end();
    this.#remove();
  }
}
