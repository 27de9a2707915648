import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A real server that a test file started, or was given. */
export interface RunningServer {
  url: string;
  stop: () => Promise<void>;
}

/** Ports below those that systems give to `listen(0)` and to outgoing connections, so that nobody gets one of ours by chance. */
const ownPorts = { from: 12_000, to: 32_000 };

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = ownPorts.from + Math.floor(Math.random() * (ownPorts.to - ownPorts.from));
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/**
 * Starts a server on a free port, and on another one if that port is lost to another program in between.
 *
 * @throws what the server says, if it is something else or happens each time
 */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      if (attempt === maxAttempts || !/address already in use|EADDRINUSE/i.test(String(error))) throw error;
    }
  }
}

const maxAttempts = 5;

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
