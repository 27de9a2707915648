import type { Stage } from './stage';
import { PostgresServer } from './stores/postgres';
import { RedisServer } from './stores/redis';
import { SqliteServer } from './stores/sqlite';

/** The store's server as one cell sees it: the server that all cells share, or one of the cell's own that may be harmed. */
export interface StoreServer {
  /** What a worker opens its store with. */
  readonly options: object;
  /** Operations fail. */
  goDown(): Promise<void>;
  comeBack(): Promise<void>;
  /** Operations are not answered. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** The store comes back without any grant. */
  restartEmpty(clientID: string): Promise<void>;
  /** Marks a grant as written by a later version of the package, or by this one. */
  setSchema(grantId: string, schema: number): Promise<void>;
  /** Has a refresh of a grant fall due, while its access token is good for longer. */
  makeDue(grantId: string): Promise<void>;
  /** All of a record, to compare. */
  contentOf(grantId: string): Promise<string>;
  close(): Promise<void>;
  /** Redis: adds a replica that has everything so far. */
  addReplica?(): Promise<Replica>;
  /** PostgreSQL and SQLite: the record as it stands, to be put back later. */
  snapshot?(clientID: string, userId: string): Promise<{ restore: () => Promise<void> }>;
}

/** A replica of the cell's Redis. */
export interface Replica {
  caughtUp: () => Promise<void>;
  /** From here on nothing of what the master writes arrives. */
  fallBehind: () => void;
  /** The master dies, and the replica takes its place. */
  promote: () => Promise<void>;
}

export function storeServerOf(stage: Stage, isOwn: boolean): Promise<StoreServer> {
  const Server = { Redis: RedisServer, PostgreSQL: PostgresServer, SQLite: SqliteServer }[stage.kind];
  return Server.of(stage, isOwn);
}
