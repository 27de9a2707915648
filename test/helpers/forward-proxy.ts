import { once } from 'node:events';
import { createServer as createHttp, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { connect, type AddressInfo, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { PrivateAuthority } from './tls-server';

/** A proxy as companies have it: the one way out for the processes behind it. */
export interface ForwardProxy {
  url: string;
  /** Method and path of each request that went through, also in tunnels, which are not encrypted in tests. */
  log: string[];
  stop: () => Promise<void>;
}

/** Starts a proxy that takes CONNECT and absolute addresses, over TLS if there is an authority. */
export async function startForwardProxy(authority?: PrivateAuthority): Promise<ForwardProxy> {
  const log: string[] = [];
  const sockets = new Set<Duplex>();
  const track = <T extends Duplex>(socket: T): T => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    return socket;
  };
  const forward = (req: IncomingMessage, res: ServerResponse): void => {
    const { pathname, search } = new URL(req.url!);
    log.push(`${req.method} ${pathname}${search}`);
    const sent = request(req.url!, { method: req.method!, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(res);
    });
    sent.on('error', () => res.destroy());
    req.pipe(sent);
  };
  const server: Server = authority
    ? createHttps({ key: authority.key, cert: authority.certificate }, forward)
    : createHttp(forward);
  server.on('connect', (req: IncomingMessage, from: Duplex, head: Buffer) => {
    const { hostname, port } = new URL(`http://${req.url}`);
    const to = track(connect(Number(port), hostname, () => from.write('HTTP/1.1 200 Connection established\r\n\r\n')));
    track(from);
    from.on('data', (bytes: Buffer) => {
      for (const [, line] of bytes
        .toString('latin1')
        .matchAll(/(?:^|\n|\})((?:GET|POST|PATCH|PUT|DELETE) \S+) HTTP\/1\.1\r\n/g)) {
        log.push(line!);
      }
    });
    if (head.length > 0) to.write(head);
    from.pipe(to).pipe(from);
    from.on('close', () => to.destroy());
    to.on('close', () => from.destroy());
  });
  server.on('connection', (socket: Socket) => track(socket));
  server.listen(0, 'localhost');
  await once(server, 'listening');
  return {
    url: `${authority ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`,
    log,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
