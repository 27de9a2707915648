/** jest's global teardown: ends the servers that the setup started. */
export default async function tearDown() {
  const servers = globalThis.sharedServers ?? [];
  await Promise.all(servers.map(({ stop }) => stop()));
  // A watching jest sets up again, with servers of its own again.
  for (const { variable } of servers) delete process.env[variable];
}
