import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Emulator } from '../../lib/emulator';
import { browse, logInAtEmulator, type CookieJar } from '../helpers/emulator';

/** An application of apps/, in a process of its own, and one browser that is logged in to it. */
export class Application {
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #cookies: CookieJar = new Map();

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.#url = url;
  }

  static async start(name: string, emulator: Emulator): Promise<Application> {
    const client = emulator.clients[0]!;
    const child = spawn(process.execPath, [join(__dirname, 'apps', `${name}.mjs`)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: process.env['PATH'], NODE_ENV: 'test' },
        ...{ SALESFORCE_URL: emulator.url, CLIENT_ID: client.clientID, CLIENT_SECRET: client.clientSecret },
      },
    });
    let errors = '';
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()));
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.startsWith('{')) continue;
      const { url } = JSON.parse(line) as { url: string };
      client.callbackURLs.push(`${url}/callback`);
      return new Application(child, url);
    }
    throw new Error(`${name} did not start: ${errors}`);
  }

  /** Requests a path with the cookies of the browser, and keeps those that come. */
  async get(path: string): Promise<Response> {
    return browse({ url: this.#url + path }, this.#cookies);
  }

  async logIn(emulator: Emulator): Promise<void> {
    const { headers } = await this.get('/login');
    const { username, password } = emulator.users[0]!;
    const callback = new URL(
      await logInAtEmulator({ authorizeUrl: headers.get('location') ?? '', username, password }),
    );
    await this.get(callback.pathname + callback.search);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill();
    await exited;
  }
}
