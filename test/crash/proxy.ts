import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A request that is to stop in its middle. */
interface Stall {
  /** What the request begins with. */
  start: string;
  afterBytes: number;
  reached: () => void;
}

/** A line between two programs that can be cut, frozen, or stopped in the middle of a request. */
export class Line {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #target: number;
  #port = 0;
  #isFrozen = false;
  #stall: Stall | undefined;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((near) => {
      const pair = new Pair(near, this.#target, (chunk) => this.#takeStall(chunk));
      if (this.#isFrozen) pair.freeze();
      this.#pairs.add(pair);
      near.once('close', () => this.#pairs.delete(pair));
    });
  }

  static async to(port: number): Promise<Line> {
    const line = new Line(port);
    await line.#listen();
    return line;
  }

  get port(): number {
    return this.#port;
  }

  /** Leads somewhere else from the next connection on. */
  retarget(port: number): void {
    this.#target = port;
  }

  /** Connections are cut, and new ones refused. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const pair of this.#pairs) pair.destroy();
    await closed;
  }

  async mend(): Promise<void> {
    await this.#listen();
  }

  /** Nothing passes, and nobody is told. */
  freeze(): void {
    this.#isFrozen = true;
    for (const pair of this.#pairs) pair.freeze();
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const pair of this.#pairs) pair.thaw();
  }

  /** Lets only so many bytes of the next such request pass. Resolves when they have; {@link thaw} lets the rest pass. */
  stallNext(start: string, afterBytes: number): Promise<void> {
    return new Promise((reached) => {
      this.#stall = { start, afterBytes, reached };
    });
  }

  #takeStall(chunk: Buffer): Stall | undefined {
    const stall = this.#stall;
    if (!stall || !chunk.toString('latin1').startsWith(stall.start)) return undefined;
    this.#stall = undefined;
    return stall;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  async #listen(): Promise<void> {
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = (this.#server.address() as AddressInfo).port;
  }
}

/** A connection and its continuation. */
class Pair {
  readonly #near: Socket;
  readonly #far: Socket;
  #held: (() => void)[] | undefined;

  constructor(near: Socket, target: number, takeStall: (chunk: Buffer) => Stall | undefined) {
    this.#near = near;
    this.#far = connect(target, '127.0.0.1');
    near.on('data', (chunk) => {
      const stall = takeStall(chunk);
      if (!stall) {
        this.#pass(() => this.#far.write(chunk));
        return;
      }
      this.#far.write(chunk.subarray(0, stall.afterBytes));
      this.freeze();
      this.#pass(() => this.#far.write(chunk.subarray(stall.afterBytes)));
      stall.reached();
    });
    this.#far.on('data', (chunk) => this.#pass(() => near.write(chunk)));
    for (const socket of [near, this.#far]) {
      socket.on('error', () => undefined);
      socket.on('close', () => this.destroy());
    }
  }

  freeze(): void {
    this.#held ??= [];
  }

  thaw(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const pass of held) pass();
  }

  destroy(): void {
    this.#near.destroy();
    this.#far.destroy();
  }

  #pass(pass: () => unknown): void {
    if (this.#held) this.#held.push(pass);
    else pass();
  }
}
