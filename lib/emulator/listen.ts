import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certificate } from './http/certificate';

/** Listening servers that share a port. */
export interface Listener {
  readonly port: number;
  /** Destroys all connections and frees the port. */
  close(): Promise<void>;
}

/**
 * Listens on one address, or on both loopback addresses. `localhost` can mean either address, and a client may try only one.
 *
 * @throws the error of `listen`, such as EADDRINUSE
 */
export async function listen(
  handler: RequestListener,
  port: number,
  host: string | undefined,
  secure?: Certificate,
): Promise<Listener> {
  const create = (): Server =>
    secure ? createSecureServer({ cert: secure.certificate, key: secure.privateKey }, handler) : createServer(handler);
  // With port 0, another process may use the port at the second address. Then the emulator tries another port.
  for (let attempt = 1; ; attempt++) {
    const servers = [create()];
    try {
      await start(servers[0], port, host ?? '127.0.0.1');
      const actualPort = portOf(servers[0]);
      if (host === undefined) {
        const second = create();
        if (await startOptional(second, actualPort, '::1')) servers.push(second);
      }
      const close = async (): Promise<void> => {
        await Promise.all(servers.map(stop));
      };
      return { port: actualPort, close };
    } catch (error) {
      await Promise.all(servers.map(stop));
      if (port !== 0 || attempt >= 5 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

/** Listens once more. If that fails, the first listener is closed as well. @throws the error of `listen` */
export async function listenBeside(first: Listener, ...given: Parameters<typeof listen>): Promise<Listener> {
  try {
    return await listen(...given);
  } catch (error) {
    await first.close();
    throw error;
  }
}

function start(server: Server | undefined, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server?.once('error', reject);
    server?.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** False if this machine does not have the address. */
async function startOptional(server: Server, port: number, host: string): Promise<boolean> {
  try {
    await start(server, port, host);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw error;
    return false;
  }
}

function portOf(server: Server | undefined): number {
  return (server?.address() as AddressInfo).port;
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
