import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A network between an application and a real server, which can fail as networks and servers do. */
export interface Proxy {
  port: number;
  /** Connections break, and new ones are reset. */
  cut: () => void;
  /** Connections stay, and nothing passes. */
  stall: () => void;
  /** All is well again. */
  restore: () => void;
  stop: () => Promise<void>;
}

/** Starts a proxy in front of a port of this machine. */
export async function startProxy(target: number): Promise<Proxy> {
  let state: 'up' | 'cut' | 'stalled' = 'up';
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (state === 'stalled') socket.pause();
    return socket;
  };
  const server = createServer((from) => {
    if (state === 'cut') {
      from.destroy();
      return;
    }
    const to = track(connect(target, '127.0.0.1'));
    track(from);
    from.pipe(to).pipe(from);
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
    if (state === 'stalled') for (const socket of [from, to]) socket.pause();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const endAll = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    cut: () => {
      state = 'cut';
      endAll();
    },
    stall: () => {
      state = 'stalled';
      sockets.forEach((socket) => socket.pause());
    },
    restore: () => {
      if (state === 'stalled') sockets.forEach((socket) => socket.resume());
      state = 'up';
    },
    stop: async () => {
      endAll();
      server.close();
      await once(server, 'close');
    },
  };
}
