/** jest's global teardown: ends the servers that the setup started. */
export default async function tearDown() {
  const servers = globalThis.sharedServers ?? [];
  await Promise.all(servers.map(({ stop }) => stop()));
  // In watch mode, jest runs the setup again and starts new servers.
  for (const { variable } of servers) delete process.env[variable];
}
