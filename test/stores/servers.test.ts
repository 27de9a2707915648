import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { Redis } from 'ioredis';
import { describeWith } from '../helpers/programs';
import { onFreePort } from './servers/programs';
import { startRedisServer } from './servers/redis';

/* The servers that tests start, if another program takes the port that was free a moment ago. */

const taken: Server[] = [];
afterEach(() => {
  for (const server of taken.splice(0)) server.close();
});

async function take(port: number): Promise<void> {
  const server = createServer().listen(port, '127.0.0.1');
  taken.push(server);
  await once(server, 'listening');
}

describe('onFreePort()', () => {
  it('goes on with another port if one is lost', async () => {
    const ports: number[] = [];

    const port = await onFreePort(async (given) => {
      ports.push(given);
      if (ports.length < 3) await take(given);
      await take(given);
      return given;
    });

    expect(new Set(ports).size).toBe(3);
    expect(port).toBe(ports[2]);
  });

  it('gives up if the port is lost each time, and at once if something else is wrong', async () => {
    let times = 0;
    const lost = onFreePort((port) => {
      times += 1;
      return Promise.reject(new Error(`bind() to 127.0.0.1:${port} failed (98: Address already in use)`));
    });
    await expect(lost).rejects.toThrow('Address already in use');
    expect(times).toBe(5);

    await expect(onFreePort(() => Promise.reject(new Error('no such program')))).rejects.toThrow('no such program');
  });
});

describeWith('Redis')('redis-server', () => {
  it('is started at ports that no other program gets by chance', async () => {
    const servers = await Promise.all([startRedisServer(), startRedisServer()]);
    for (const { url, port } of servers) {
      const client = new Redis(url);
      expect(await client.ping()).toBe('PONG');
      expect(port).toBeLessThan(32_768);
      client.disconnect();
    }
    await Promise.all(servers.map(({ stop }) => stop()));
  });
});
