import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedis } from '../stores/servers/redis';
import { nodeWithSqlite, SqliteFile } from './sqlite';
import { WorkerPool, type Worker } from './workers';

export type StoreKind = 'Redis' | 'PostgreSQL' | 'SQLite';

/** `CRASH_STORES=SQLite` runs one store alone, while it is looked into. */
const wanted = process.env['CRASH_STORES']?.split(',');

export const storeKindsInOrder: readonly StoreKind[] = ['Redis', 'PostgreSQL', 'SQLite'];

export const storeKinds: readonly StoreKind[] = storeKindsInOrder.filter((kind) => wanted?.includes(kind) ?? true);

/** What the cells of one store share: its server, processes to harm, and one process that outlives them. */
export interface Stage {
  kind: StoreKind;
  /** Of the server; with SQLite, the path of the file. */
  url: string;
  /** Table, or the name that keys begin with. */
  name: string;
  pool: WorkerPool;
  survivor: Worker;
  /** A connection to look into the database with. */
  database: Pool | undefined;
  file: SqliteFile | undefined;
  end: () => Promise<void>;
}

export async function openStage(kind: StoreKind): Promise<Stage> {
  const name = `crash_${randomBytes(6).toString('hex')}`;
  const opened = await openStore(kind, name);
  const pool = new WorkerPool(kind === 'SQLite' ? nodeWithSqlite() : process.execPath);
  const survivor = await pool.take();
  return {
    ...{ database: undefined, file: undefined },
    ...opened,
    ...{ kind, name, pool, survivor },
    end: async () => {
      await pool.end();
      await opened.end();
    },
  };
}

/** What a worker opens its store with. */
export function storeOptionsOf({ kind, name }: Pick<Stage, 'kind' | 'name'>, url: string): object {
  return {
    Redis: { kind, url, prefix: `${name}:` },
    PostgreSQL: { kind, url, table: name },
    SQLite: { kind, file: url },
  }[kind];
}

type OpenedStore = Pick<Stage, 'url' | 'end'> & Partial<Pick<Stage, 'database' | 'file'>>;

async function openStore(kind: StoreKind, name: string): Promise<OpenedStore> {
  if (kind === 'SQLite') {
    const file = await SqliteFile.open();
    return { url: file.path, file, end: () => file.end() };
  }
  const server = await (kind === 'Redis' ? startRedis() : startPostgres());
  if (kind === 'Redis') return { url: server.url, end: server.stop };
  const database = openPool(server.url);
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  await database.query(sql.replaceAll('salesforce_grants', name));
  const end = async (): Promise<void> => {
    await database.query(`drop table ${name}, ${name}_once`);
    await database.end();
    await server.stop();
  };
  return { url: server.url, database, end };
}
