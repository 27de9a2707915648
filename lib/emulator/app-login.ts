import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { browse, walkLogin, type CookieJar, type ScriptedLogin } from './scripted-login';

/** An application under test: a handler of requests, such as an Express application, or the URL it listens at. */
export type AppUnderTest = string | ((req: IncomingMessage, res: ServerResponse) => unknown);

/** How to log in to an {@link AppUnderTest}. */
export interface AppLogin extends Partial<Omit<ScriptedLogin, 'authorizeUrl'>> {
  /** Where the app begins a login. Default `/auth/salesforce`. */
  loginPath?: string | undefined;
}

/**
 * Logs a user in to an application as a browser would: its login route, Salesforce's pages, its callback.
 *
 * @returns the browser's cookies of the app, as the value of a `Cookie` header
 * @throws where the login does not end in a redirect that follows the callback; the message has the app's answer
 */
export async function logInTo(
  app: AppUnderTest,
  { loginPath = '/auth/salesforce', ...login }: AppLogin & Pick<ScriptedLogin, 'username' | 'password'>,
): Promise<string> {
  const server = typeof app === 'string' ? undefined : createServer(app).listen(0, '127.0.0.1');
  try {
    if (server) await once(server, 'listening');
    const base = server ? `http://localhost:${(server.address() as AddressInfo).port}` : String(app);
    const cookies: CookieJar = new Map();
    let start = await browse({ url: new URL(loginPath, base).href }, cookies, login.ca);
    // To the host of its callback URL, at which the app does not listen here: the same path, as a proxy would ask for it.
    const moved = new URL(start.headers.get('location') ?? '/', base);
    if (moved.pathname === new URL(loginPath, base).pathname) {
      start = await browse({ url: new URL(moved.pathname + moved.search, base).href }, cookies, login.ca);
    }
    const authorizeUrl = start.headers.get('location');
    if (authorizeUrl === null) throw await unexpected(loginPath, start);
    const { pathname, search } = new URL(await walkLogin({ ...login, authorizeUrl }));
    const end = await browse({ url: new URL(pathname + search, base).href }, cookies, login.ca);
    if (end.status < 300 || end.status > 399) throw await unexpected(pathname, end);
    const kept = [...cookies].filter(([name, value]) => value !== '' && !ofLogin.test(name));
    return kept.map(([name, value]) => `${name}=${value}`).join('; ');
  } finally {
    server?.closeAllConnections();
    server?.close();
  }
}

/**
 * Cookies of this package that a browser has for the minutes around a login. The header is used as it is for every request after
 * it, so the app could not take them away.
 */
const ofLogin = /^(?:__Host-)?salesforce-(?:login|browser|silent)/;

async function unexpected(path: string, response: Response): Promise<Error> {
  const text = (await response.text()).slice(0, 500);
  return new Error(`The app answered ${path} with ${response.status} where a redirect belongs: ${text}`);
}
