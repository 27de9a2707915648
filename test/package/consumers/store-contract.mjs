/**
 * Runs the contract suite of token stores with a client library of a given version, as `node --test` runs it. CLIENT names the
 * package to import, which may be an alias, and LIBRARY what it is. SERVERS has the address of the server, or those of a cluster's
 * masters.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, afterEach, beforeEach, describe, it } from 'node:test';
import { describeTokenStore } from 'express-salesforce-auth/stores/contract';
import { PostgresTokenStore } from 'express-salesforce-auth/stores/postgres';
import { RedisTokenStore } from 'express-salesforce-auth/stores/redis';

const require = createRequire(import.meta.url);
const { CLIENT, LIBRARY, SERVERS } = process.env;
const urls = SERVERS.split(' ');
const unique = randomBytes(6).toString('hex');
const library = require(CLIENT);
const script = readFileSync(new URL('pass-time.lua', import.meta.url), 'utf8');
const { make, close } = await { redis: onNodeRedis, ioredis: onIoredis, pg: onPg }[LIBRARY]();
after(close);
describeTokenStore(`with ${CLIENT}`, make, { describe, it, beforeEach, afterEach, maxHolders: 11 });

async function onNodeRedis() {
  const nodes = urls.map((url) => library.createClient({ url }));
  const cluster = urls.length > 1 ? library.createCluster({ rootNodes: urls.map((url) => ({ url })) }) : undefined;
  for (const client of [...nodes, ...(cluster ? [cluster] : [])]) {
    client.on('error', () => undefined);
    await client.connect();
  }
  return onRedis(cluster ?? nodes[0], nodes, {
    keys: (node, pattern) => node.keys(pattern),
    passTime: (node, key, ms) => node.eval(script, { keys: [key], arguments: [String(ms)] }),
    set: (node, key, field, value) => node.hSet(key, field, value),
    remove: (node, key) => node.del(key),
    // Before version 5, it has another name.
    end: (client) => (client.destroy ? client.destroy() : client.disconnect()),
  });
}

async function onIoredis() {
  // A constructor in each version; since 5 it has a name too.
  const Redis = library.Redis ?? library;
  const nodes = urls.map((url) => new Redis(url));
  const cluster = urls.length > 1 ? new Redis.Cluster(urls) : undefined;
  return onRedis(cluster ?? nodes[0], nodes, {
    keys: (node, pattern) => node.keys(pattern),
    passTime: (node, key, ms) => node.eval(script, 1, key, String(ms)),
    set: (node, key, field, value) => node.hset(key, field, value),
    remove: (node, key) => node.del(key),
    end: (client) => client.disconnect(),
  });
}

function onRedis(client, nodes, { keys, passTime, set, remove, end }) {
  const prefix = `${unique}:`;
  const stores = [];
  const each = async (work) => {
    for (const node of nodes) for (const key of await keys(node, `${prefix}*`)) await work(node, key);
  };
  const make = () => {
    const store = new RedisTokenStore({ client, prefix, notify: true, maxHolders: 11 });
    stores.push(store);
    return {
      store,
      elapse: (ms) => each((node, key) => passTime(node, key, ms)),
      setSchema: (grantId, schema) =>
        each((node, key) => key === `${prefix}{${grantId}}` && set(node, key, 'schema', String(schema))),
      close: () => each(remove),
    };
  };
  const close = async () => {
    for (const store of stores) store.close();
    for (const each of new Set([client, ...nodes])) await end(each);
  };
  return { make, close };
}

async function onPg() {
  const table = `grants_${unique}`;
  const pool = new library.Pool({ connectionString: urls[0], max: 20 });
  pool.on('error', () => undefined);
  const sql = readFileSync(require.resolve('express-salesforce-auth/stores/postgres.sql'), 'utf8');
  await pool.query(sql.replaceAll('salesforce_grants', table));
  const passTime = readFileSync(new URL('pass-time.sql', import.meta.url), 'utf8').replaceAll('grants_table', table);
  const stores = [];
  const make = () => {
    const store = new PostgresTokenStore({ pool, table, notify: true, maxHolders: 11 });
    stores.push(store);
    return {
      store,
      elapse: async (ms) => {
        for (const statement of passTime.split(';').slice(0, 2)) await pool.query(statement, [ms]);
      },
      setSchema: (grantId, schema) =>
        pool.query(`update ${table} set schema_version = $2 where grant_id = $1`, [grantId, schema]),
      close: () => pool.query(`delete from ${table}; delete from ${table}_once`),
    };
  };
  const close = async () => {
    for (const store of stores) store.close();
    await pool.end();
  };
  return { make, close };
}
