import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { browse, walkLogin, type BrowserRequest, type CookieJar, type ScriptedLogin } from './scripted-login';

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
 * @throws Error if the callback of the app does not lead on to a page, and the message has the app's answer; or if the app sets no
 *   cookie of a session
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
      start = await browse(through(moved, base), cookies, login.ca);
    }
    const authorizeUrl = start.headers.get('location');
    if (authorizeUrl === null) throw await unexpected(loginPath, start);
    const callback = new URL(await walkLogin({ ...login, authorizeUrl }));
    const end = await browse(through(callback, base), cookies, login.ca);
    if ((end.status < 300 || end.status > 399) && !(await leadsOn(end))) throw await unexpected(callback.pathname, end);
    const kept = [...cookies].filter(([name, value]) => value !== '' && !loginCookies.test(name));
    if (kept.length === 0) throw cookieMissing();
    return kept.map(([name, value]) => `${name}=${value}`).join('; ');
  } finally {
    server?.closeAllConnections();
    server?.close();
  }
}

/** A request for a URL of the app, as a proxy would pass it on to where the app listens. The scheme decides about secure cookies. */
function through({ protocol, pathname, search }: URL, base: string): BrowserRequest {
  const url = new URL(pathname + search, base);
  const isEnded = protocol === 'https:' && url.protocol === 'http:';
  return { url: url.href, ...(isEnded ? { headers: { 'x-forwarded-proto': 'https' } } : {}) };
}

/** Whether a page goes on by itself. If the session cookie is strict, the callback answers with such a page. */
async function leadsOn(response: Response): Promise<boolean> {
  return response.status === 200 && (await response.clone().text()).includes('<meta http-equiv="refresh"');
}

function cookieMissing(): Error {
  return new Error(
    'The app set no cookie of a session. If its session cookie is secure, give the app a callback URL that begins with https://, ' +
      "and call app.set('trust proxy', 1): logInTo() then sends X-Forwarded-Proto: https, as a proxy does.",
  );
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
