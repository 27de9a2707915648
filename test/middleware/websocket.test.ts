import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Request, Response } from 'express';
import expressSession from 'express-session';
import { WebSocket, WebSocketServer } from 'ws';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* salesforce.of() of the upgrade to a WebSocket, which Express does not see. */

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server of sockets beside the application: each message is a name of something to do, and is answered by what came of it. */
async function start(express: 4 | 5) {
  const emulator = await startTestEmulator();
  const sessions = expressSession({
    ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
  });
  const { browser, salesforce } = await startApp({ emulator, express, sessionMiddleware: sessions });
  const actions: Record<string, (req: IncomingMessage) => Promise<unknown>> = {
    token: async (req) => typeof (await salesforce.of(req).getAccessToken()),
    query: async (req) => (await salesforce.of(req).fetch('/services/data/v62.0/limits')).status,
    user: (req) => Promise.resolve(salesforce.of(req).user?.username ?? null),
    logout: async (req) => {
      await salesforce.of(req).logout();
      return 'done';
    },
    reload: async (req) =>
      new Promise((resolve) => {
        const { session } = req as unknown as Request;
        session.reload((error?: Error) => resolve(error ? 'gone' : 'there'));
      }),
    silently: async (req) => Promise.resolve(salesforce.of(req).canLogInSilently),
  };
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('connection', (socket: WebSocket, req: IncomingMessage) => {
    socket.on('message', (name: Buffer) => {
      actions[name.toString()]!(req).then(
        (result) => socket.send(JSON.stringify(result)),
        (error: unknown) => {
          const { code, status, name } = error as { code?: string; status?: number; name: string };
          socket.send(JSON.stringify(code === undefined ? name : [status, code]));
        },
      );
    });
  });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('upgrade', (req, socket, head) => {
    // express-session looks at a response that is never sent.
    const response = { on: () => undefined, once: () => undefined, end: () => undefined } as unknown as Response;
    sessions(req as Request, response, () => {
      sockets.handleUpgrade(req, socket, head, (ws) => sockets.emit('connection', ws, req));
    });
  });
  const tab = browser();
  const connect = async (cookie?: string) => {
    const { port } = server.address() as AddressInfo;
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, cookie === undefined ? {} : { headers: { cookie } });
    await once(socket, 'open');
    open.push(() => socket.terminate());
    return async (name: string): Promise<unknown> => {
      const answered = once(socket, 'message') as Promise<[Buffer]>;
      socket.send(name);
      return JSON.parse((await answered)[0].toString()) as unknown;
    };
  };
  open.push(() => server.close());
  const cookieOfTab = async (): Promise<string> => (await tab.get('/headers')).body.headers.cookie as string;
  return { browser, emulator, tab, connect, cookieOfTab };
}

describe.each([4, 5] as const)('salesforce.of() on a WebSocket, beside Express %d', (express) => {
  it('refuses a visitor a token, and lets the visitor log out of nothing', async () => {
    const { connect } = await start(express);
    const ask = await connect();

    expect(await ask('user')).toBeNull();
    expect(await ask('silently')).toBe(false);
    expect(await ask('token')).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
    expect(await ask('query')).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
    expect(await ask('logout')).toBe('done');
  });

  it('has the token of a user, also after it has expired, and logs the user out', async () => {
    const { connect, cookieOfTab, emulator, tab } = await start(express);
    await logIn(tab, emulator);
    const ask = await connect(await cookieOfTab());

    expect(await ask('user')).toBe(emulator.users[0]!.username);
    expect(await ask('token')).toBe('string');
    emulator.expireAccessTokens();
    expect(await ask('query')).toBe(200);

    expect(await ask('logout')).toBe('done');

    expect(await ask('user')).toBeNull();
    expect(await ask('token')).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
    expect(emulator.liveTokens().refreshTokens).toBe(0);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('hears that the user has logged out in the browser', async () => {
    const { connect, cookieOfTab, emulator, tab } = await start(express);
    await logIn(tab, emulator);
    const ask = await connect(await cookieOfTab());
    expect(await ask('token')).toBe('string');

    await tab.post('/auth/salesforce/logout');

    expect(await ask('token')).toEqual([401, 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED']);
    expect(await ask('logout')).toBe('done');
  });

  it('hears of a logout by its session if the user is logged in elsewhere too', async () => {
    const { browser, connect, cookieOfTab, emulator, tab } = await start(express);
    await logIn(browser(), emulator);
    await logIn(tab, emulator);
    const ask = await connect(await cookieOfTab());
    expect(await ask('reload')).toBe('there');

    await tab.post('/auth/salesforce/logout');

    expect(await ask('reload')).toBe('gone');
  });
});
