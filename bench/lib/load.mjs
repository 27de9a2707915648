/** A load generator on plain sockets. It must use less CPU than the measured server. */
import { connect } from 'node:net';

/** A keep-alive connection that sends one GET at a time. */
class Connection {
  #socket;
  #received = '';
  #done;

  constructor(port) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (chunk) => {
      this.#received += chunk;
      this.#look();
    });
    this.#socket.on('error', (error) => this.#done?.reject(error));
    this.#socket.on('close', () => this.#done?.reject(new Error('The connection was closed.')));
  }

  get(request) {
    return new Promise((resolve, reject) => {
      this.#done = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close() {
    this.#done = undefined;
    this.#socket.destroy();
  }

  #look() {
    const head = this.#received.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(this.#received)?.[1] ?? 0);
    if (this.#received.length < head + 4 + length) return;
    const reply = {
      status: Number(this.#received.slice(9, 12)),
      head: this.#received.slice(0, head),
      body: this.#received.slice(head + 4, head + 4 + length),
    };
    this.#received = '';
    this.#done.resolve(reply);
  }
}

/** The bytes of a GET request with the cookie of a session. */
export function getRequest(path, port, cookie) {
  return `GET ${path} HTTP/1.1\r\nHost: localhost:${port}\r\nAccept: application/json\r\nCookie: ${cookie}\r\n\r\n`;
}

/** Opens a connection for each request, and then sends all requests at the same moment. */
export async function herd(targets) {
  const connections = targets.map(({ port }) => new Connection(port));
  // Each connection sends a first request, so that the time to connect is not measured.
  for (let from = 0; from < targets.length; from += 100) {
    await Promise.all(
      connections.slice(from, from + 100).map((connection, at) => {
        const { port } = targets[from + at];
        return connection.get(getRequest('/ready', port, 'none=0'));
      }),
    );
  }
  const startedAt = performance.now();
  const replies = await Promise.all(
    connections.map(async (connection, at) => {
      const reply = await connection.get(targets[at].request).catch(() => ({ status: 0, head: '', body: '' }));
      return { ...reply, ms: performance.now() - startedAt };
    }),
  );
  connections.forEach((connection) => connection.close());
  return replies;
}

/**
 * Sends `perSecond` requests for `seconds`, even if earlier ones are not answered, over at most `connections` connections. A
 * request that finds no free connection is counted as not sent.
 */
export async function openLoop(port, request, { perSecond, seconds, connections = 200, onReply = () => undefined }) {
  const free = Array.from({ length: connections }, () => new Connection(port));
  const all = [...free];
  const statuses = {};
  let sent = 0;
  let refused = 0;
  const startedAt = performance.now();
  const pending = new Set();
  const send = () => {
    const connection = free.pop();
    if (!connection) {
      refused++;
      return;
    }
    sent++;
    const sentAt = performance.now();
    const reply = connection.get(request(sent)).then(
      ({ status }) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        onReply(status, performance.now() - sentAt, performance.now() - startedAt);
        free.push(connection);
      },
      () => {
        statuses.failed = (statuses.failed ?? 0) + 1;
      },
    );
    pending.add(reply);
    void reply.finally(() => pending.delete(reply));
  };
  for (let offered = 0; ;) {
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs >= seconds * 1000) break;
    for (const due = Math.floor((elapsedMs / 1000) * perSecond); offered < due; offered++) send();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  await Promise.race([Promise.allSettled([...pending]), new Promise((resolve) => setTimeout(resolve, 5_000))]);
  all.forEach((connection) => connection.close());
  return { sent, refused, statuses, seconds: (performance.now() - startedAt) / 1000 };
}
