/** @tier all */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import request from 'supertest';
import { logIn } from '../helpers/app';
import { compileLibrary } from '../helpers/compiled';
import { startTestEmulator } from '../helpers/emulator';
import { startNginx } from '../helpers/nginx';
import { Program } from '../helpers/program';
import { freePort, type RunningServer } from '../stores/servers/programs';
import { startRedisServer } from '../stores/servers/redis';

jest.setTimeout(120_000);

let library: ReturnType<typeof compileLibrary>;
let redis: RunningServer;
const programs = new Set<Program>();

beforeAll(async () => {
  library = compileLibrary();
  redis = await startRedisServer();
});

afterEach(async () => {
  await Promise.all([...programs].map((program) => program.end()));
  programs.clear();
});

afterAll(async () => {
  library.remove();
  await redis.stop();
});

/** Two servers' worth of ports, a client at Salesforce, and what starts a server. */
async function deployment({ closeTimeoutMs = 20_000, origin }: { closeTimeoutMs?: number; origin?: string } = {}) {
  const emulator = await startTestEmulator();
  const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
  const { clientID, clientSecret } = client;
  const options = {
    ...{ clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token', encryptionKeys: false },
    refresh: { closeTimeoutMs },
  };
  if (origin) client.callbackURLs.push(`${origin}/auth/salesforce/callback`);
  const start = async (given?: number): Promise<{ program: Program; url: string; exited: Promise<unknown> }> => {
    const port = given ?? (await freePort());
    const program = new Program(join(__dirname, 'programs/app.cjs'), [library.folder], {
      execPath: process.execPath,
      env: library.env,
    });
    programs.add(program);
    await program.heard('ready');
    const url = await program.call<string>('start', { options, port, redisUrl: redis.url, origin });
    if (!origin) client.callbackURLs.push(`${url}/auth/salesforce/callback`);
    return { program, url, exited: once(program.process, 'exit') };
  };
  return { emulator, start };
}

/** Clients that ask without a pause over connections they keep, and what they were answered. */
class Traffic {
  readonly answers: Record<string, number> = {};
  #isOver = false;
  readonly #running: Promise<unknown>;
  readonly #agent: Agent;

  constructor(url: string, cookie: string, methods: readonly ('GET' | 'POST')[] = ['GET', 'POST']) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const clients = Array.from({ length: 20 }, (_unused, index) => methods[index % methods.length]!);
    this.#running = Promise.all(clients.map((method) => this.#ask(url, cookie, method)));
  }

  /** Resolves when so many more answers have come. */
  async more(count: number): Promise<void> {
    const sum = (): number => Object.values(this.answers).reduce((total, each) => total + each, 0);
    for (const target = sum() + count; sum() < target;) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#agent.destroy();
  }

  async #ask(url: string, cookie: string, method: 'GET' | 'POST'): Promise<void> {
    while (!this.#isOver) {
      const path = method === 'GET' ? '/accounts' : '/echo';
      const answer = await this.#once(new URL(path, url), method, cookie);
      this.answers[answer] = (this.answers[answer] ?? 0) + 1;
      if (answer === 'ECONNREFUSED') await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async #once(url: URL, method: string, cookie: string): Promise<string> {
    const sent = httpRequest(url, { method, agent: this.#agent, headers: { cookie, accept: 'application/json' } });
    try {
      sent.end();
      const [answer] = (await once(sent, 'response')) as [IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      return String(answer.statusCode);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'error';
    }
  }
}

/** Logs a browser in; its cookies. */
async function loggedIn(url: string, emulator: Parameters<typeof logIn>[1]): Promise<string> {
  const tab = request.agent(url);
  const answer = await logIn(tab, emulator);
  expect(answer.status).toBe(302);
  return (answer.headers['set-cookie'] as unknown as string[]).map((cookie) => cookie.split(';')[0]).join('; ');
}

describe('salesforce.shutdown()', () => {
  it('ends under keep-alive traffic, breaks no request, and stores a refresh that is under way', async () => {
    const { emulator, start } = await deployment();
    const { program, url, exited } = await start();
    const cookie = await loggedIn(url, emulator);
    const traffic = new Traffic(url, cookie);
    await traffic.more(200);
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    emulator.expireAccessTokens();
    await held.reached;
    const closing = program.heard('closing');
    program.process.kill('SIGTERM');
    await closing;
    // A service manager and npm both pass the signal on.
    program.process.kill('SIGTERM');
    await traffic.more(20);
    held.release();
    await exited;
    await traffic.end();

    expect(program.process.exitCode).toBe(0);
    const { 200: served, ECONNREFUSED: refused, ...others } = traffic.answers;
    expect(served).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(0);
    expect(others).toEqual({});
    // Another server goes on with what was stored.
    const next = await start();
    const answer = await request(next.url).get('/accounts').set('cookie', cookie);
    expect(answer.status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('cuts off a request that is never answered, and ends in time', async () => {
    const { start } = await deployment({ closeTimeoutMs: 2_000 });
    const { program, url, exited } = await start();
    const never = program.heard('never');
    const broken = request(url)
      .get('/never')
      .then(
        () => 'answered',
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      );
    await never;
    program.process.kill('SIGTERM');
    await exited;

    expect(program.process.exitCode).toBe(0);
    expect(await broken).toBe('ECONNRESET');
  });

  it('closes connections that are idle', async () => {
    const { start } = await deployment();
    const { program, url, exited } = await start();
    const agent = new Agent({ keepAlive: true });
    const sent = httpRequest(`${url}/doctor`, { agent }).end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    program.process.kill('SIGTERM');
    await exited;

    expect(program.process.exitCode).toBe(0);
    agent.destroy();
  });
});

describe('a rolling deploy of two servers behind nginx', () => {
  it.each([
    { what: 'which repeats a GET at the other server', methods: ['GET'] as const, isTakenOut: false },
    { what: 'from which a server is taken before it ends', methods: ['GET', 'POST'] as const, isTakenOut: true },
  ])('$what, fails no request and logs no user out', async ({ methods, isTakenOut }) => {
    const ports = [await freePort(), await freePort()];
    const nginx = await startNginx(ports);
    try {
      const { emulator, start } = await deployment({ origin: nginx.url });
      const servers = await Promise.all(ports.map((port) => start(port)));
      const cookie = await loggedIn(nginx.url, emulator);
      const traffic = new Traffic(nginx.url, cookie, methods);
      await traffic.more(200);
      for (const round of [0, 1, 0, 1]) {
        const { program, exited } = servers[round]!;
        emulator.expireAccessTokens();
        if (isTakenOut) await nginx.use([ports[1 - round]!]);
        program.process.kill('SIGTERM');
        await exited;
        expect(program.process.exitCode).toBe(0);
        await traffic.more(100);
        servers[round] = await start(ports[round]);
        if (isTakenOut) await nginx.use(ports);
        await traffic.more(100);
      }
      await traffic.end();

      // A reload of nginx closes connections of its clients by itself, some with a request on its way.
      const answers = Object.keys(traffic.answers).filter((answer) => !isTakenOut || answer !== 'ECONNRESET');
      expect(answers).toEqual(['200']);
      // Each expiry cost one refresh.
      expect([...emulator.presentations.values()]).toEqual([1, 1, 1, 1]);
    } finally {
      await nginx.stop();
    }
  });
});
