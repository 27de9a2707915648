// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { provideParts } from '../../tools/test/parts.mjs';

/**
 * A server that processes share. Its programs are in groups of their own, so that Ctrl+C ends them last.
 *
 * @typedef {object} Server
 * @property {string} name
 * @property {string} url
 * @property {() => Promise<void>} stop
 */

/** @type {Record<string, () => Promise<Server>>} */
const servers = { redis: startRedis, postgres: startPostgres };

/**
 * @param {string} kind
 * @returns {Promise<Server>}
 */
export async function startServer(kind) {
  const start = Object.hasOwn(servers, kind) ? servers[kind] : undefined;
  if (!start) throw new Error(`Say where to keep sessions and grants: ${Object.keys(servers).join(' or ')}.`);
  return start();
}

/** The server of `REDIS_URL`, or one of its own in an empty folder. */
async function startRedis() {
  const given = process.env.REDIS_URL;
  if (given) return { name: 'the Redis of REDIS_URL', url: given, stop: async () => {} };
  // From PATH, or installed where that is possible; else this ends with a word about what to do.
  const { REDIS_SERVER_PATH: program } = provideParts(['Redis']);
  const folder = mkdtempSync(join(tmpdir(), 'express-salesforce-auth-'));
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''];
  const { stop } = await run(program, settings, /Ready to accept connections/);
  return {
    name: 'a Redis of its own',
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await stop('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The server of `DATABASE_URL`, or one from npm in an empty folder; with the table for grants. */
async function startPostgres() {
  const server = process.env.DATABASE_URL
    ? { name: 'the PostgreSQL of DATABASE_URL', url: process.env.DATABASE_URL, stop: async () => {} }
    : await startEmbedded();
  const sql = fileURLToPath(import.meta.resolve('express-salesforce-auth/stores/postgres.sql'));
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(readFileSync(sql, 'utf8'));
  await client.end();
  return server;
}

async function startEmbedded() {
  const folder = mkdtempSync(join(tmpdir(), 'express-salesforce-auth-'));
  const program = fileURLToPath(new URL('../../tools/servers/embedded-postgres.mjs', import.meta.url));
  const { output, stop } = await run(process.execPath, [program, folder], /ready postgres:\S+\n/);
  return {
    name: 'a PostgreSQL of its own',
    url: /** @type {string} */ (/ready (\S+)\n/.exec(output())?.[1]),
    stop: async () => {
      await stop(undefined);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {RegExp} ready in its output
 */
async function run(command, args, ready) {
  const program = spawn(command, args, { detached: true });
  let output = '';
  await new Promise((resolve, reject) => {
    const listen = (/** @type {Buffer} */ chunk) => {
      output += chunk;
      if (ready.test(output)) resolve(undefined);
    };
    program.stdout.on('data', listen);
    program.stderr.on('data', listen);
    program.once('error', reject);
    program.once('exit', () => reject(new Error(`${command} did not start:\n${output}`)));
  });
  return {
    output: () => output,
    /** @param {NodeJS.Signals | undefined} signal undefined for one that ends with its standard input */
    stop: async (signal) => {
      const ended = once(program, 'exit');
      if (signal) program.kill(signal);
      else program.stdin.end();
      await ended;
    },
  };
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}
