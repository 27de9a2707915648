/** @tier all */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Emulator } from '../../lib/emulator';
import { dist } from '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { startRedis } from '../stores/servers/redis';
import { logInByHand } from './before';

interface Message {
  says: string;
  [name: string]: unknown;
}

const running = new Set<ChildProcess>();
afterEach(async () => {
  for (const child of running) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  running.clear();
});

/** A process that adopts a token, and all it has said. */
function startProcess(emulator: Emulator, refreshToken: string, redisUrl: string) {
  const { clientID, clientSecret } = emulator.clients[0]!;
  const child = spawn(process.execPath, [join(__dirname, 'programs/adopt.mjs')], {
    cwd: join(dist, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...{ PATH: process.env['PATH'], NODE_ENV: 'test', SALESFORCE_URL: emulator.url },
      ...{ CLIENT_ID: clientID, CLIENT_SECRET: clientSecret, REFRESH_TOKEN: refreshToken, REDIS_URL: redisUrl },
    },
  });
  running.add(child);
  const messages: Message[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => messages.push(JSON.parse(line) as Message));
  return {
    child,
    /** Waits until the process has said one of these. */
    async says(...wanted: string[]): Promise<Message> {
      for (;;) {
        const found = messages.find(({ says }) => wanted.includes(says));
        if (found) return found;
        await once(lines, 'line');
      }
    },
  };
}

describeWith('Redis')('a refresh token that two processes adopt', () => {
  let redis: Awaited<ReturnType<typeof startRedis>>;
  beforeEach(async () => {
    redis = await startRedis();
  });
  afterEach(() => redis.stop());

  async function start() {
    const emulator = await startTestEmulator({ callbackURLs: ['http://localhost:3000/cb'] });
    const { refreshToken } = await logInByHand(emulator, emulator.clients[0]!);
    return { emulator, adopt: () => startProcess(emulator, refreshToken, redis.url) };
  }

  it('at the same moment is presented once, and both have the grant', async () => {
    const { emulator, adopt } = await start();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const [one, other] = [adopt(), adopt()];
    await held.reached;
    await Promise.race([one.says('waits'), other.says('waits')]);
    held.release();

    const [first, second] = await Promise.all([one.says('adopted', 'failed'), other.says('adopted', 'failed')]);

    expect(first).toEqual({
      ...{ says: 'adopted', grantId: expect.any(String), userId: emulator.users[0]!.userId, status: 200 },
    });
    expect(second).toEqual(first);
    expect([...emulator.presentations.values()]).toEqual([1]);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('is not presented by the second one if the first one was killed with the answer on its way', async () => {
    const { emulator, adopt } = await start();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const first = adopt();
    await held.reached;
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    held.release();

    const second = adopt();
    await second.says('waits');
    const answer = await second.says('adopted', 'failed');

    expect(answer).toMatchObject({ says: 'failed', code: expect.stringMatching(/REFRESH_(IN_DOUBT|DELAYED)$/) });
    expect([...emulator.presentations.values()]).toEqual([1]);
  });
});
