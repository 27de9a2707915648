import { request } from 'node:https';

/** Cookies of a scripted browser, by name. Pass one jar to several logins to stay logged in. */
export type CookieJar = Map<string, string>;

/** A login by a scripted browser. */
export interface ScriptedLogin {
  /** The URL to which the app redirects the browser. */
  authorizeUrl: string;
  username: string;
  password: string;
  /** Default `allow`. */
  decision?: 'allow' | 'deny' | undefined;
  /** Default: a fresh browser. */
  cookies?: CookieJar | undefined;
  /** Certificate to trust, as PEM, if the pages are served over TLS. `emulator.logIn()` knows the emulator's own. */
  ca?: string | undefined;
}

/**
 * Goes through the emulator's pages, from an authorize URL through login and approval.
 *
 * @returns the callback URL with `code` and `state`, or with `error`. The app has not received this request yet
 * @throws Error if a page has no form, such as an error page; the message has the text of the page
 */
export async function walkLogin({
  authorizeUrl,
  username,
  password,
  decision = 'allow',
  cookies = new Map(),
  ca,
}: ScriptedLogin): Promise<string> {
  const { origin } = new URL(authorizeUrl);
  let next: BrowserRequest = { url: authorizeUrl };
  for (let step = 0; step < 12; step++) {
    const response = await browse(next, cookies, ca);
    const text = await response.text();
    const location = response.headers.get('location') ?? /location\.replace\((".*?")\)/.exec(text)?.[1];
    if (location != null) {
      const target = new URL(location.startsWith('"') ? (JSON.parse(location) as string) : location, next.url);
      if (target.origin !== origin) return target.href;
      next = { url: target.href };
      continue;
    }
    if (response.status !== 200 || !text.includes('<form')) throw new Error(`The page has no form: ${visible(text)}`);
    if (text.includes('role="alert"') && next.body) throw new Error(`The page refused the form: ${visible(text)}`);
    next = submit(text, next.url, { username, password, decision });
  }
  throw new Error('The login does not end: too many pages and redirects.');
}

/** A request of the scripted browser. */
export interface BrowserRequest {
  url: string;
  body?: URLSearchParams;
  headers?: Readonly<Record<string, string>>;
}

/** Sends one request of the scripted browser. It follows no redirect. */
export async function browse(
  { url, body, headers }: BrowserRequest,
  cookies: CookieJar,
  ca?: string,
): Promise<Response> {
  const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  const send = ca !== undefined && url.startsWith('https:') ? trusting(ca) : fetch;
  const response = await send(url, {
    method: body ? 'POST' : 'GET',
    body: body ?? null,
    // The request looks like a click on a link of the same site. An app may refuse a login that another site begins.
    headers: { referer: url, ...(cookie === '' ? {} : { cookie }), ...headers },
    redirect: 'manual',
  });
  for (const line of response.headers.getSetCookie()) {
    const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
    cookies.set(name, value.join('='));
  }
  return response;
}

/** The needed part of `fetch`, with an additional trusted certificate. `fetch` itself has no such option. */
function trusting(ca: string): (url: string, init: RequestInit) => Promise<Response> {
  return (url, { method, body, headers }) =>
    new Promise((resolve, reject) => {
      const form = body instanceof URLSearchParams ? body.toString() : undefined;
      const type = form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' };
      const sent = request(
        url,
        { method, ca, agent: false, headers: { ...(headers as Record<string, string>), ...type } },
        (received) => {
          const chunks: Buffer[] = [];
          received.on('data', (chunk: Buffer) => chunks.push(chunk));
          received.on('error', reject);
          received.on('end', () => {
            const pairs = Object.entries(received.headersDistinct).flatMap(([name, values = []]) =>
              values.map((value) => [name, value] as [string, string]),
            );
            const { statusCode: status = 500 } = received;
            const hasNoBody = status === 204 || status === 304;
            resolve(new Response(hasNoBody ? null : Buffer.concat(chunks), { status, headers: pairs }));
          });
        },
      );
      sent.on('error', reject);
      sent.end(form);
    });
}

function submit(
  html: string,
  pageUrl: string,
  answers: { username: string; password: string; decision: string },
): BrowserRequest {
  const body = new URLSearchParams();
  for (const [, name = '', value = ''] of html.matchAll(/<input type="hidden" name="(.*?)" value="(.*?)">/g)) {
    body.set(decode(name), decode(value));
  }
  if (html.includes('name="pw"')) {
    body.set('username', answers.username);
    body.set('pw', answers.password);
  } else if (html.includes('name="decision"')) {
    body.set('decision', answers.decision);
  } else {
    body.set('username', answers.username);
  }
  const action = decode(/<form method="post" action="(.*?)"/.exec(html)?.[1] ?? '');
  return { url: new URL(action, pageUrl).href, body };
}

function decode(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)));
}

function visible(html: string): string {
  return decode(html.replace(/<style>[^]*?<\/style>/g, '').replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}
