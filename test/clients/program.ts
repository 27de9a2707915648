import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Emulator } from '../../lib/emulator';
import { folderOf, nodePath } from './installed.cjs';

/** What a program of test/clients/programs has to say, one line of JSON each. */
export type Message = Record<string, unknown>;

/** Stands for a client that `npm install` brings: its program runs where it is, with this Node. */
export const fromDevDependencies = 'devDependencies';

const programs = join(__dirname, 'programs');

/** The Node that runs clients, and the folder of one of them. */
export function installed(client: string): { node: string; folder: string } {
  if (client === fromDevDependencies) return { node: process.execPath, folder: programs };
  const [node, folder] = [nodePath(), folderOf(client)];
  if (!existsSync(join(folder, 'installed')) || !existsSync(node)) {
    throw new Error(`${client} is not installed. "npm run clients" installs the clients and runs their tests.`);
  }
  return { node, folder };
}

/** A program that uses a client as its README says, in a process and a folder of its own. */
export class Program {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterableIterator<string>;
  readonly #folder: string;
  #errors = '';

  constructor(client: string, name: string, emulator: Emulator, callbackURL: string) {
    const { node, folder } = installed(client);
    this.#folder = mkdtempSync(join(tmpdir(), 'client-'));
    // A module finds packages from where it is. A program can have further files, whose names begin with its own.
    const files = readdirSync(programs).filter((file) => file.startsWith(name));
    if (folder !== programs) for (const file of files) copyFileSync(join(programs, file), join(folder, file));
    const certificate = join(this.#folder, 'certificate.pem');
    writeFileSync(certificate, emulator.certificate ?? '');
    const { clientID, clientSecret } = emulator.clients[0]!;
    this.#child = spawn(node, [join(folder, `${name}.mjs`)], {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_EXTRA_CA_CERTS: emulator.certificate === undefined ? '' : certificate,
        SALESFORCE_URL: emulator.url,
        CLIENT_ID: clientID,
        CLIENT_SECRET: clientSecret,
        CALLBACK_URL: callbackURL,
      },
    });
    this.#child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** The next message. @throws Error with what the program wrote, if it ends instead */
  async next(): Promise<Message> {
    for (;;) {
      const { value, done } = await this.#lines.next();
      if (done) throw new Error(`The program ended: ${this.#errors}`);
      // Some clients print warnings of their own.
      if (value.startsWith('{')) return JSON.parse(value) as Message;
    }
  }

  send(message: Message): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill();
      await once(this.#child, 'close');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
