import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Emulator, EmulatorOptions } from '../../lib/emulator';
import { browse, startTestEmulator, type CookieJar } from '../helpers/emulator';
import { Program, type Message } from './program';

/** An emulator and a program with a client, which know each other's URLs. */
export interface Scene {
  emulator: Emulator;
  program: Program;
  /** The origin of the program's server, if it has one. */
  origin: string;
}

const running = new Set<Program>();

/** Starts both. The program is ended after the test. */
export async function startProgram(
  client: string,
  {
    name = client,
    callbackPath = '/callback',
    ...options
  }: { name?: string; callbackPath?: string } & Partial<EmulatorOptions> = {},
): Promise<Scene> {
  const origin = `http://localhost:${await freePort()}`;
  const emulator = await startTestEmulator({ callbackURLs: [origin + callbackPath], ...options });
  const program = new Program(client, name, emulator, origin + callbackPath);
  running.add(program);
  return { emulator, program, origin };
}

afterEach(async () => {
  const programs = [...running];
  running.clear();
  await Promise.all(programs.map((program) => program.stop()));
});

/** Logs in for a program that has no server: it says where to log in, and is told where that ended. */
export async function logInFor({ emulator, program }: Scene): Promise<Message> {
  const { authorizeUrl } = await program.next();
  program.send({ callbackURL: await emulator.logIn({ authorizeUrl: String(authorizeUrl) }) });
  return program.next();
}

/** A browser at the program's server. */
export class Visitor {
  readonly #origin: string;
  readonly #cookies: CookieJar = new Map();

  constructor({ origin }: Scene) {
    this.#origin = origin;
  }

  get(path: string): Promise<Response> {
    return browse({ url: this.#origin + path }, this.#cookies);
  }

  post(path: string, form: Record<string, string>): Promise<Response> {
    return browse({ url: this.#origin + path, body: new URLSearchParams(form) }, this.#cookies);
  }

  /** Sends JSON, as a script of the page would. */
  postJSON(path: string, body: unknown): Promise<Response> {
    return this.#keepCookies(
      fetch(this.#origin + path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', origin: this.#origin },
        redirect: 'manual',
      }),
    );
  }

  async #keepCookies(answer: Promise<Response>): Promise<Response> {
    const response = await answer;
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      this.#cookies.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
    }
    return response;
  }
}

/** Follows a redirect to the emulator, logs in there, and opens the callback. */
export async function finishLogin(
  { emulator }: Scene,
  visitor: Visitor,
  authorizeUrl: string | null,
): Promise<Response> {
  const callback = new URL(await emulator.logIn({ authorizeUrl: String(authorizeUrl) }));
  return visitor.get(callback.pathname + callback.search);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
