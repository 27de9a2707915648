import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';

/** A certificate of a private authority for this machine, as files; `certificate` is what a client has to trust. */
export interface PrivateAuthority {
  key: string;
  certificate: string;
  certificateFile: string;
  remove: () => void;
}

export async function privateAuthority(): Promise<PrivateAuthority> {
  const pems = await generate([{ name: 'commonName', value: 'localhost' }], {
    keySize: 2048,
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
        ],
      },
    ],
  });
  const folder = mkdtempSync(join(tmpdir(), 'authority-'));
  const certificateFile = join(folder, 'certificate.pem');
  writeFileSync(certificateFile, pems.cert);
  return {
    key: pems.private,
    certificate: pems.cert,
    certificateFile,
    remove: () => rmSync(folder, { recursive: true }),
  };
}

export interface TlsServer {
  url: string;
  /** Number of connections so far. */
  connections: () => number;
  stop: () => Promise<void>;
}

type Handler = (req: IncomingMessage | Http2ServerRequest, res: ServerResponse | Http2ServerResponse) => void;

/** A server that speaks HTTP/1.1 alone, or HTTP/2. */
export async function startTlsServer(
  { key, certificate }: PrivateAuthority,
  protocol: 'HTTP/1.1' | 'HTTP/2',
  handle: Handler,
): Promise<TlsServer> {
  const options = { key, cert: certificate };
  const server =
    protocol === 'HTTP/2' ? createSecureServer(options, handle as never) : createHttps(options, handle as never);
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('secureConnection', () => (connections += 1));
  server.listen(0);
  await once(server, 'listening');
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      sockets.forEach((socket) => socket.destroy());
      await closed;
    },
  };
}
