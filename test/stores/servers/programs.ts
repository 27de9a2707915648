import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real server that a test file started, or was given. */
export interface RunningServer {
  url: string;
  stop: () => Promise<void>;
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A new folder below the system's for temporary files, and how to be rid of it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'express-salesforce-auth-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Starts a program and waits until its output matches.
 *
 * @param missing what to tell where there is no such program
 * @param account whom to run it as
 */
export async function startProgram(
  command: string,
  args: string[],
  { ready, missing, account }: { ready: RegExp; missing: string; account?: { uid: number; gid: number } },
): Promise<{ program: ChildProcess; output: () => string }> {
  const program = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], ...account });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const listen = (chunk: Buffer): void => {
      output += chunk.toString();
      if (ready.test(output)) resolve();
    };
    program.stdout.on('data', listen);
    program.stderr.on('data', listen);
    program.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new Error(missing) : error);
    });
    program.once('exit', (code) => {
      reject(new Error(`${command} ended with ${String(code)}:\n${output}`));
    });
  });
  return { program, output: () => output };
}

/** Ends a program and waits until it has. */
export async function stopProgram(program: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (program.exitCode !== null || program.signalCode !== null) return;
  const ended = once(program, 'exit');
  program.kill(signal);
  await ended;
}
