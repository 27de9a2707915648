import type { Server } from 'node:http';

const servers = new Set<Server>();

/** Closes a server, with its connections, after the test. */
export function closeAfterTest(server: Server): void {
  servers.add(server);
}

afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers.clear();
});
