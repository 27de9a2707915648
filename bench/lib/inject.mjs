/**
 * Sends requests to an application without a network: Node's own request and response objects on an in-memory stream. Only
 * the work of the application is measured, so that a few microseconds are visible. HTTP parsing and sockets, which are the
 * same for every application, are left out.
 */
import { IncomingMessage, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';

class Sink extends Duplex {
  remoteAddress = '127.0.0.1';

  _read() {
    // Nothing comes: the request is complete as it is made.
  }

  _write(_chunk, _encoding, done) {
    done();
  }
}

/** Sends one request. Resolves with the response when it is written. */
export function get(app, url, headers) {
  return new Promise((resolve) => {
    const socket = new Sink();
    const req = new IncomingMessage(socket);
    Object.assign(req, { method: 'GET', url, httpVersion: '1.1', httpVersionMajor: 1, httpVersionMinor: 1 });
    req.headers = { ...headers };
    req.complete = true;
    req.push(null);
    const res = new ServerResponse(req);
    res.assignSocket(socket);
    res.once('finish', () => resolve(res));
    app(req, res);
  });
}

/** Sends `count` requests, `concurrency` at a time. @returns the CPU time of this process per request, in microseconds */
export async function drive(app, { path, cookie, host, count, concurrency = 8 }) {
  const headers = { host, cookie, accept: 'application/json' };
  const statuses = {};
  let setCookieBytes = 0;
  let left = count;
  const before = process.cpuUsage();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (left-- > 0) {
        const res = await get(app, path, headers);
        statuses[res.statusCode] = (statuses[res.statusCode] ?? 0) + 1;
        if (left === 0) setCookieBytes = [res.getHeader('set-cookie') ?? []].flat().join('').length;
      }
    }),
  );
  const { user, system } = process.cpuUsage(before);
  return { cpuPerRequestUs: (user + system) / count, statuses, setCookieBytes };
}
