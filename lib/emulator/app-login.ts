import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { browse, walkLogin, type CookieJar, type ScriptedLogin } from './scripted-login';

/** An application under test: a request handler, such as an Express application, or the URL at which the app listens. */
export type AppUnderTest = string | ((req: IncomingMessage, res: ServerResponse) => unknown);

/** How to log in to an {@link AppUnderTest}. */
export interface AppLogin extends Partial<Omit<ScriptedLogin, 'authorizeUrl'>> {
  /** Path at which the app begins a login. Default `/auth/salesforce`. */
  loginPath?: string | undefined;
}

/**
 * Logs a user in to an application as a browser would: its login route, Salesforce's pages, its callback.
 *
 * @returns the browser's cookies of the app, as the value of a `Cookie` header
 * @throws Error if the callback of the app does not answer with a redirect; the message has the app's answer
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
    // The app moves the login to the host of its callback URL, at which it does not listen here. A proxy would ask for the
    // same path.
    const moved = new URL(start.headers.get('location') ?? '/', base);
    if (moved.pathname === new URL(loginPath, base).pathname) {
      start = await browse({ url: new URL(moved.pathname + moved.search, base).href }, cookies, login.ca);
    }
    const authorizeUrl = start.headers.get('location');
    if (authorizeUrl === null) throw await unexpected(loginPath, start);
    const { pathname, search } = new URL(await walkLogin({ ...login, authorizeUrl }));
    const end = await browse({ url: new URL(pathname + search, base).href }, cookies, login.ca);
    if (end.status < 300 || end.status > 399) throw await unexpected(pathname, end);
    const kept = [...cookies].filter(([name, value]) => value !== '' && !loginCookies.test(name));
    return kept.map(([name, value]) => `${name}=${value}`).join('; ');
  } finally {
    server?.closeAllConnections();
    server?.close();
  }
}

/**
 * Cookies that this package sets for the few minutes of a login. The test sends the returned header unchanged with every
 * later request, so the app could not delete these cookies.
 */
const loginCookies = /^(?:__Host-)?salesforce-(?:login|browser|silent)/;

async function unexpected(path: string, response: Response): Promise<Error> {
  const text = (await response.text()).slice(0, 500);
  return new Error(`The app answered ${path} with ${response.status} instead of a redirect: ${text}`);
}
