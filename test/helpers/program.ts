import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Writable } from 'node:stream';

interface Message {
  answer?: number;
  value?: unknown;
  news?: string;
}

/** A program that answers calls, as a process of its own; see `test/token/programs/sender.cjs`. */
export class Program {
  readonly process: ChildProcess;
  #lastCall = 0;

  constructor(path: string, args: string[], options: { execPath: string; env: NodeJS.ProcessEnv }) {
    this.process = fork(path, args, {
      ...options,
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
    });
  }

  async call<T>(name: string, given: object = {}): Promise<T> {
    const call = ++this.#lastCall;
    const answered = this.#heard(({ answer }) => answer === call);
    this.process.send({ call, name, ...given });
    return (await answered).value as T;
  }

  /** Resolves with the next news of this name. */
  async heard(news: string): Promise<void> {
    await this.#heard((message) => message.news === news);
  }

  /** Lets a program go on that waits for a byte. */
  go(): void {
    (this.process.stdio[4] as Writable).write('.');
  }

  async end(): Promise<void> {
    const exited = once(this.process, 'exit');
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGKILL');
    await exited;
  }

  #heard(isIt: (message: Message) => boolean): Promise<Message> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('The program has ended.'));
      const listener = (message: Message): void => {
        if (!isIt(message)) return;
        this.process.off('message', listener).off('exit', ended);
        resolve(message);
      };
      this.process.on('message', listener).on('exit', ended);
    });
  }
}
