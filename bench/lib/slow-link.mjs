/** A TCP proxy with latency. Each direction, and each new connection, takes half of the round trip. */
import { connect, createServer } from 'node:net';

export async function startSlowLink(targetPort, roundTripMs) {
  const link = { connections: 0 };
  const server = createServer({ noDelay: true }, (client) => {
    link.connections++;
    // The local kernel accepts at once. Over the real link, a client could send data only after a round trip.
    const openAt = performance.now() + roundTripMs;
    const upstream = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
    pass(client, upstream, () => Math.max(openAt, performance.now()) + roundTripMs / 2);
    pass(upstream, client, () => performance.now() + roundTripMs / 2);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set();
  server.on('connection', (socket) => sockets.add(socket));
  const stop = () => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  };
  return { port: server.address().port, url: `http://localhost:${server.address().port}`, link, stop };
}

/** Forwards chunks in order, after the latency. */
function pass(from, to, arrivesAt) {
  let last = 0;
  const later = (run) => {
    last = Math.max(last, arrivesAt());
    setTimeout(run, last - performance.now());
  };
  from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => later(() => to.destroy()));
}
