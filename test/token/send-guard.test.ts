/**
 * @tier all
 * @again newest-node
 */
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { systemClock } from '../../lib/clock';
import type { FetchFunction } from '../../lib/options/fetch-function';
import { exchange } from '../../lib/token/http';
import { RequestHeldBack } from '../../lib/token/send-guard';
import { ManualClock } from '../helpers/clock';
import { compileLibrary } from '../helpers/compiled';
import { failure } from '../helpers/failure';
import { nodeLines } from '../helpers/node-lines';
import { Program } from '../helpers/program';
import { privateAuthority, startTlsServer, type PrivateAuthority, type TlsServer } from '../helpers/tls-server';

/** A guard that is sure the first time it is asked, and not afterwards. */
const sureOnce = (): { isSure: boolean } => {
  let asked = 0;
  return {
    get isSure() {
      return ++asked === 1;
    },
  };
};

describe('a guarded request', () => {
  let server: Server;
  let url: string;
  const received: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];

  beforeAll(async () => {
    server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => (body += String(chunk)));
      req.on('end', () => {
        received.push({ headers: req.headers, body });
        res.end('answer');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  });

  beforeEach(() => {
    received.length = 0;
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const post = (guard?: { isSure: boolean }, network: Partial<Parameters<typeof exchange>[2]> = {}) =>
    exchange(
      url,
      { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams({ who: 'me' }), guard },
      { fetch: undefined, httpTimeoutMs: 30_000, ...network },
      systemClock,
    );

  it('is sent while its guard is sure, with an id of its own', async () => {
    expect(await post({ isSure: true })).toMatchObject({ status: 200, text: 'answer' });

    expect(received).toEqual([
      {
        body: 'who=me',
        headers: expect.objectContaining({
          accept: 'application/json',
          'content-type': 'application/x-www-form-urlencoded;charset=UTF-8',
          'x-request-id': expect.stringMatching(/^[\w-]{36}$/) as string,
        }) as NodeJS.Dict<string>,
      },
    ]);
  });

  it('is not even begun if its guard is not sure', async () => {
    const send = jest.fn(fetch);

    await expect(post({ isSure: false }, { fetch: send })).rejects.toThrow(RequestHeldBack);

    expect(send).not.toHaveBeenCalled();
  });

  it('does not leave this machine if its guard is no longer sure when the request is written', async () => {
    await expect(post(sureOnce())).rejects.toThrow(RequestHeldBack);
    // The next request is answered after all that came before.
    await post({ isSure: true });

    expect(received).toHaveLength(1);
  });

  it('has a guard of its own among many to the same address, guarded and not', async () => {
    const wanted = Array.from({ length: 30 }, (_unused, index) => index % 3);
    const answers = await Promise.all(
      wanted.map((kind) =>
        post(kind === 2 ? undefined : kind === 0 ? { isSure: true } : sureOnce()).then(
          ({ status }) => status,
          (error: unknown) => (error as Error).message,
        ),
      ),
    );

    expect(answers).toEqual(wanted.map((kind) => (kind === 1 ? 'The request was held back.' : 200)));
    expect(received).toHaveLength(20);
    const ids = received.map(({ headers }) => headers['x-request-id']).filter((id) => id !== undefined);
    expect(new Set(ids).size).toBe(10);
  });

  it('may have been carried out if its connection ends with an error that others have before there is one', async () => {
    const connected = new Promise<Socket>((resolve) => {
      subscribe('undici:client:connected', (message) => resolve((message as { socket: Socket }).socket));
    });
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const answer = exchange(
      `http://127.0.0.1:${port}/token`,
      { method: 'POST', headers: {}, body: 'who=me', guard: { isSure: true } },
      { fetch: undefined, httpTimeoutMs: 30_000 },
      systemClock,
    );
    const lost = expect(answer).rejects.toThrow(failure({ code: 'ERR_SALESFORCE_CONNECTION_LOST' }));

    await once(silent, 'request');
    // What the kernel tells if a router loses the way to the host meanwhile.
    const noRoute = Object.assign(new Error('read EHOSTUNREACH'), { code: 'EHOSTUNREACH', syscall: 'read' });
    (await connected).destroy(noRoute);

    await lost;
    silent.closeAllConnections();
    silent.close();
  });

  it('was not sent if no address of the host takes a connection, whatever way it goes', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    free.close();
    const onHttp: FetchFunction = async (target) => {
      await once(httpRequest(target, { method: 'POST' }).end(), 'response');
      return new Response();
    };

    for (const send of [undefined, onHttp]) {
      const answer = exchange(
        `http://localhost:${port}/token`,
        { method: 'POST', headers: {}, body: 'who=me', guard: { isSure: true } },
        { fetch: send, httpTimeoutMs: 30_000 },
        systemClock,
      );
      await expect(answer).rejects.toThrow(failure({ code: 'ERR_SALESFORCE_UNREACHABLE' }));
    }
  });

  it.each([{ expect: '100-continue' }, { 'content-length': 'a-few' }])(
    'was not sent if the HTTP client refuses it, as for a header of the option fetch: %j',
    async (extra) => {
      const send: FetchFunction = (target, init) =>
        fetch(target, { ...init, headers: { ...(init.headers as Record<string, string>), ...extra } });

      await expect(post({ isSure: true }, { fetch: send })).rejects.toThrow(
        failure({
          code: 'ERR_SALESFORCE_UNREACHABLE',
          message: expect.stringContaining('Check the option fetch') as string,
        }),
      );
      expect(received).toEqual([]);
    },
  );

  it('may have been carried out if the option fetch sends it again, and that is held back', async () => {
    const [sent, again] = [jest.fn(), jest.fn()];
    const resetting = createServer((req) => {
      sent();
      req.socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(resetting, 'listening');
    const { port } = resetting.address() as AddressInfo;
    const guard = { isSure: true };
    const twice: FetchFunction = (target, init) =>
      fetch(target, init).catch(() => {
        again();
        guard.isSure = false;
        return fetch(target, init);
      });

    const answer = exchange(
      `http://127.0.0.1:${port}/token`,
      { method: 'POST', headers: {}, body: 'who=me', guard },
      { fetch: twice, httpTimeoutMs: 30_000 },
      systemClock,
    );

    await expect(answer).rejects.toThrow(failure({ code: 'ERR_SALESFORCE_CONNECTION_LOST' }));
    expect([sent, again].map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
    resetting.closeAllConnections();
    resetting.close();
  });

  describe('through a fetch that is not made of undici', () => {
    /** `fetch` on node:http, which announces nothing. Its connection is made when the test says so. */
    const fetchOnHttp =
      (connected: Promise<void>): FetchFunction =>
      async (target, init) => {
        await connected;
        init.signal?.throwIfAborted();
        const sent = httpRequest(target, { method: init.method ?? 'GET', headers: init.headers as never });
        sent.end(new URLSearchParams(init.body as URLSearchParams).toString());
        const [answer] = (await once(sent, 'response')) as [AsyncIterable<Buffer>];
        const chunks: Buffer[] = [];
        for await (const chunk of answer) chunks.push(chunk);
        return new Response(Buffer.concat(chunks));
      };

    it('is sent and answered', async () => {
      expect(await post({ isSure: true }, { fetch: fetchOnHttp(Promise.resolve()) })).toMatchObject({ text: 'answer' });
    });

    it('is aborted within a second of the end of its lease, and counts as possibly sent', async () => {
      const clock = new ManualClock();
      const guard = { isSure: true };
      let connect = (): void => undefined;
      const send = fetchOnHttp(new Promise((resolve) => (connect = resolve)));
      const answer = exchange(
        url,
        { method: 'POST', headers: {}, body: 'who=me', guard },
        { fetch: send, httpTimeoutMs: 30_000 },
        clock,
      );
      guard.isSure = false;
      clock.advanceMs(1_000);
      connect();

      await expect(answer).rejects.toThrow(failure({ code: 'ERR_SALESFORCE_CONNECTION_LOST' }));
      expect(received).toEqual([]);
      expect(clock.pending).toBe(0);
    });
  });
});

/** The ways a request goes out, by Node and protocol. */
const ways = [
  { newest: false, protocol: 'HTTP/1.1', by: 'fetch' },
  { newest: false, protocol: 'HTTP/2', by: 'undici' },
  { newest: true, protocol: 'HTTP/1.1', by: 'fetch' },
  { newest: true, protocol: 'HTTP/2', by: 'fetch' },
] as const;

describe('a process of its own', () => {
  let library: ReturnType<typeof compileLibrary>;
  let authority: PrivateAuthority;
  let lines: ReturnType<typeof nodeLines>;

  beforeAll(async () => {
    library = compileLibrary();
    authority = await privateAuthority();
    lines = nodeLines();
  }, 120_000);

  afterAll(() => {
    library.remove();
    authority.remove();
  });

  describe.each(ways)('newest Node: $newest, $protocol by $by', ({ newest, protocol, by }) => {
    let server: TlsServer;
    let program: Program;
    const bodies: string[] = [];
    const events = new Map<string, () => void>();

    /** Answers a path after `answer(path)` was called, or at once; notes what arrived. */
    const answers = new Map<string, Promise<void>>();
    const hold = (path: string): { reached: Promise<void>; answer: () => void } => {
      let answer = (): void => undefined;
      answers.set(path, new Promise((resolve) => (answer = resolve)));
      return { reached: new Promise((resolve) => events.set(path, resolve)), answer };
    };

    beforeAll(async () => {
      server = await startTlsServer(authority, protocol, (req, res) => {
        let body = '';
        req.on('data', (chunk) => (body += String(chunk)));
        req.on('end', () => {
          if (body !== '') bodies.push(body);
          events.get(req.url!)?.();
          void (answers.get(req.url!) ?? Promise.resolve()).then(() => {
            if (!res.destroyed) (res as { end: (text: string) => void }).end(`${req.httpVersion} ${body}`);
          });
        });
      });
    });

    beforeEach(async () => {
      bodies.length = 0;
      events.clear();
      answers.clear();
      program = new Program(join(__dirname, 'programs/sender.cjs'), [library.folder], {
        execPath: lines[newest ? 1 : 0]!.execPath,
        env: {
          ...library.env,
          NODE_EXTRA_CA_CERTS: authority.certificateFile,
          AUTHORITY: authority.certificate,
        },
      });
      await program.heard('ready');
    });

    afterEach(() => program.end());
    afterAll(() => server.stop());

    const send = (path: string, given: object = {}): Promise<string> =>
      program.call('send', { url: server.url + path, by, body: { path }, ...given });
    const version = protocol === 'HTTP/2' ? '2.0' : '1.1';

    it('holds a request back and harms no other on its connection', async () => {
      const held = hold('/slow');
      await send('/first');
      const slow = send('/slow');
      await held.reached;

      expect(await send('/guarded', { guard: { sureTimes: 1 } })).toBe('held back');
      const next = await send('/next', { guard: {} });
      held.answer();

      expect([await slow, next]).toEqual([`${version} path=%2Fslow`, `${version} path=%2Fnext`]);
      expect(bodies).toEqual(['path=%2Ffirst', 'path=%2Fslow', 'path=%2Fnext']);
      // undici 7 gives each POST a connection of its own.
      if (protocol === 'HTTP/2' && by === 'fetch') expect(server.connections()).toBe(1);
    });

    it('stopped while it connects, for longer than its lease, presents nothing when it wakes', async () => {
      const outcome = send('/guarded', { guard: { sureMs: 1_000 }, stopAtConnect: true });
      await program.heard('connecting');
      program.process.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      program.process.kill('SIGCONT');
      program.go();

      expect(await outcome).toBe('held back');
      await send('/next');
      expect(bodies).toEqual(['path=%2Fnext']);
    });

    it('stopped while it connects, for less than its lease, goes on', async () => {
      const outcome = send('/guarded', { guard: { sureMs: 60_000 }, stopAtConnect: true });
      await program.heard('connecting');
      program.process.kill('SIGSTOP');
      program.process.kill('SIGCONT');
      program.go();

      expect(await outcome).toBe(`${version} path=%2Fguarded`);
    });

    it('stopped past its time limit after the request was written, reads the answer that is there', async () => {
      const held = hold('/guarded');
      await send('/first');
      const outcome = send('/guarded', { guard: {}, httpTimeoutMs: 1_000 });
      await held.reached;
      program.process.kill('SIGSTOP');
      held.answer();
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      program.process.kill('SIGCONT');

      expect(await outcome).toBe(`${version} path=%2Fguarded`);
    });

    it('stopped past its time limit before the request was written, does not send it late', async () => {
      const outcome = send('/guarded', { guard: {}, httpTimeoutMs: 1_000, stopAtConnect: true });
      await program.heard('connecting');
      program.process.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      program.process.kill('SIGCONT');
      program.go();

      expect(await outcome).toBe('ERR_SALESFORCE_UNREACHABLE');
      await send('/next');
      expect(bodies).toEqual(['path=%2Fnext']);
    });
  });
});
