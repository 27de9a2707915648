/** A TCP proxy with a long way behind it: each direction takes half of the round trip, and so does connecting. */
import { connect, createServer } from 'node:net';

export async function startSlowLink(targetPort, roundTripMs) {
  const link = { connections: 0 };
  const server = createServer({ noDelay: true }, (client) => {
    link.connections++;
    // The kernel here has accepted at once; over the link it would have taken a round trip before anything could be sent.
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

/** Hands chunks on when they arrive at the other end, in order. */
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
