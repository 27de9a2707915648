import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import '../helpers/built';
import { within } from './within';

/** Longer than anything a worker does takes on a busy machine: only a hang is to be told from it. */
const deadlineMs = 300_000;

/** What a worker tells unasked. */
export interface News {
  news: string;
  app?: string;
  grantId?: string;
}

/** A step a refresh can be made to pause at; those in between are made by the provider's side. */
export type StoreStep = 'S0' | 'S1' | 'S5' | 'S6';

/** A program in a process of its own: an application server, unless another one is named. */
export class Worker {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly #calls = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Set<(news: News) => void>();
  #lastCall = 0;
  #isEnding = false;

  private constructor(program: string, execPath: string) {
    this.process = fork(program, {
      execPath,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
      execArgv: [],
      env: { PATH: process.env['PATH'] },
    });
    this.exited = once(this.process, 'exit');
    this.process.on('message', (message: News & { answer?: number; value?: unknown; error?: string }) => {
      if (message.answer === undefined) {
        for (const listener of this.#listeners) listener(message);
        return;
      }
      const call = this.#calls.get(message.answer);
      this.#calls.delete(message.answer);
      if (message.error === undefined) call?.resolve(message.value as never);
      else call?.reject(new Error(message.error));
    });
    void this.exited.then(() => {
      for (const { reject } of this.#calls.values()) reject(new Error('The worker has ended.'));
      this.#calls.clear();
    });
    (this.process.stdio[4] as Writable).on('error', () => undefined);
  }

  /** @param execPath the Node.js that runs the program */
  static async start(program: string = require.resolve('./worker.mjs'), execPath = process.execPath): Promise<Worker> {
    const worker = new Worker(program, execPath);
    await worker.heard('ready');
    return worker;
  }

  get isAlive(): boolean {
    return !this.#isEnding && this.process.exitCode === null && this.process.signalCode === null;
  }

  call<T>(name: string, given: object = {}): Promise<T> {
    const call = ++this.#lastCall;
    const answer = new Promise<T>((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.process.send({ call, name, ...given }, (error) => {
        if (error) reject(error);
      });
    });
    return within(deadlineMs, `The answer of a worker to '${name}'`, answer);
  }

  /** Resolves with the next news of this name. */
  heard(news: string, app?: string): Promise<void> {
    const told = new Promise<void>((resolve) => {
      const listener = (heard: News): void => {
        if (heard.news !== news || heard.app !== app) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
    return within(deadlineMs, `'${news}' of a worker`, told);
  }

  /** Calls `listener` with all that the program tells. */
  listen(listener: (news: News) => void): void {
    this.#listeners.add(listener);
  }

  signal(signal: NodeJS.Signals): void {
    if (signal === 'SIGTERM' || signal === 'SIGKILL') this.#isEnding = true;
    this.process.kill(signal);
  }

  async block(): Promise<void> {
    await this.call('block');
  }

  unblock(): void {
    (this.process.stdio[4] as Writable).write('.');
  }

  async end(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }
}

/** Workers for cells that run one after the other or side by side; a worker that was harmed is not given again. */
export class WorkerPool {
  readonly #free: Worker[] = [];
  readonly #all = new Set<Worker>();
  readonly #execPath: string;

  constructor(execPath: string) {
    this.#execPath = execPath;
  }

  async take(): Promise<Worker> {
    const free = this.#free.pop();
    if (free?.isAlive) return free;
    const worker = await Worker.start(undefined, this.#execPath);
    this.#all.add(worker);
    return worker;
  }

  give(worker: Worker): void {
    if (worker.isAlive) this.#free.push(worker);
    else this.#all.delete(worker);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#all].map((worker) => worker.end()));
  }
}
