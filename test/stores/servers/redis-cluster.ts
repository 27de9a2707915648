import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { createCluster } from 'redis';
import { freePort, type RunningServer } from './programs';
import { startRedisServer } from './redis';

type Start = (...settings: string[]) => Promise<RunningServer & { port: number }>;

/** Masters of a cluster that share all slots. */
export interface RunningCluster {
  ports: number[];
  stop: () => Promise<void>;
}

/** A cluster of three masters without replicas, which is ready. @param start starts one server, by default of Redis */
export async function startCluster(start: Start = startRedisServer): Promise<RunningCluster> {
  // The bus's port would else be the server's plus 10000, which there may not be.
  const buses = await Promise.all(Array.from({ length: 3 }, freePort));
  const nodes = await Promise.all(buses.map((bus) => start('--cluster-enabled', 'yes', '--cluster-port', String(bus))));
  const ports = nodes.map(({ port }) => port);
  const clients = nodes.map(({ url }) => new Redis(url));
  for (const [index, client] of clients.entries()) {
    const first = Math.floor((index * 16_384) / 3);
    await client.call('CLUSTER', 'ADDSLOTSRANGE', first, Math.floor(((index + 1) * 16_384) / 3) - 1);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const [index, port] of ports.entries()) {
    await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', port, buses[index]!);
  }
  const isReady = async (client: Redis): Promise<boolean> => {
    const info = String(await client.call('CLUSTER', 'INFO'));
    return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3');
  };
  // Nodes gossip; each answer is a turn of the loop.
  while (!(await Promise.all(clients.map(isReady))).every(Boolean));
  for (const client of clients) client.disconnect();
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  return { ports, stop };
}

/** A client of the package `redis` for a cluster, and how to end it. */
export async function nodeRedisCluster({ ports }: RunningCluster) {
  const client = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })) });
  client.on('error', () => undefined);
  await client.connect();
  return { client, end: () => client.destroy() };
}

/** The same of the package `ioredis`. */
export async function ioredisCluster({ ports }: RunningCluster): Promise<{ client: Cluster; end: () => void }> {
  const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })));
  await once(client, 'ready');
  return { client, end: () => client.disconnect() };
}
