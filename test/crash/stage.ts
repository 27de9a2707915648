import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openPool, startPostgres } from '../stores/servers/postgres';
import type { RunningServer } from '../stores/servers/programs';
import { startRedis } from '../stores/servers/redis';
import { WorkerPool, type Worker } from './workers';

export type StoreKind = 'Redis' | 'PostgreSQL';

export const storeKinds: readonly StoreKind[] = ['Redis', 'PostgreSQL'];

/** What the cells of one store share: its server, processes to harm, and one process that outlives them. */
export interface Stage {
  kind: StoreKind;
  url: string;
  /** Table, or the name that keys begin with. */
  name: string;
  pool: WorkerPool;
  survivor: Worker;
  /** A connection to look into the database with. */
  database: Pool | undefined;
  end: () => Promise<void>;
}

export async function openStage(kind: StoreKind): Promise<Stage> {
  const name = `crash_${randomBytes(6).toString('hex')}`;
  const server: RunningServer = await (kind === 'Redis' ? startRedis() : startPostgres());
  const database = kind === 'Redis' ? undefined : openPool(server.url);
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  await database?.query(sql.replaceAll('salesforce_grants', name));
  const pool = new WorkerPool();
  const survivor = await pool.take();
  return {
    kind,
    url: server.url,
    name,
    pool,
    survivor,
    database,
    end: async () => {
      await pool.end();
      await database?.query(`drop table ${name}, ${name}_once`);
      await database?.end();
      await server.stop();
    },
  };
}
