// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A real server that was started here, or that an environment variable names.
 *
 * @typedef {object} Server
 * @property {string} url
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a program and waits until its output matches.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {RegExp} ready
 * @param {{ uid?: number, gid?: number, detached?: boolean }} [options] `detached`: Ctrl+C does not reach the program
 */
export async function startChild(command, args, ready, options = {}) {
  const program = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
  const kill = () => program.kill('SIGKILL');
  // The program ends with this process.
  process.once('exit', kill);
  program.once('exit', () => process.off('exit', kill));
  let output = '';
  /** @type {RegExpExecArray} */
  const match = await new Promise((resolve, reject) => {
    const listen = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
      const found = ready.exec(output);
      if (found) resolve(found);
    };
    program.stdout.on('data', listen);
    program.stderr.on('data', listen);
    program.once('error', reject);
    program.once('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${output}`)));
  });
  return {
    program,
    match,
    /** @param {NodeJS.Signals} [signal] without a signal, the end of standard input ends the program */
    stop: async (signal) => {
      if (program.exitCode !== null || program.signalCode !== null) return;
      const ended = once(program, 'exit');
      if (signal) program.kill(signal);
      else program.stdin.end();
      await ended;
    },
  };
}

/** A free port. */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
  probe.close();
  await once(probe, 'close');
  return port;
}

/** A new temporary folder. */
export function temporaryFolder() {
  const path = mkdtempSync(join(tmpdir(), 'express-salesforce-auth-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
