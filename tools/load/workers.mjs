/** The processes of the application. They are ended at random and started again. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { inDoubtMs, pick } from './faults.mjs';
import { freePort } from './stores.mjs';

/** How long a claim lasts with the default options, in milliseconds: half of `leaseMs`, and `httpTimeoutMs`. */
const claimMs = 37_500;

const program = new URL('worker.mjs', import.meta.url).pathname;

export class Workers {
  #list = [];
  #isStopping = false;

  constructor({ emulator, store, count, sessionTimeoutSeconds, report }) {
    Object.assign(this, { emulator, store, count, sessionTimeoutSeconds, report });
  }

  async start() {
    const ports = await Promise.all(Array.from({ length: this.count }, freePort));
    // All processes share one callback URL, as behind a load balancer. Users send its path to any process.
    this.callbackURL = `http://localhost:${ports[0]}/auth/salesforce/callback`;
    const { clientID, clientSecret } = this.emulator.registerClient({
      callbackURLs: [this.callbackURL],
      policy: { rotateRefreshTokens: true, expiresInSeconds: this.sessionTimeoutSeconds },
    });
    const { sessionTimeoutSeconds } = this;
    this.client = { clientID, clientSecret, baseUrl: this.emulator.url, sessionTimeoutSeconds };
    this.#list = ports.map((port) => ({ port, child: undefined, isReady: false, isFrozen: false }));
    await Promise.all(this.#list.map((worker) => this.#run(worker)));
  }

  /** The host that all processes share, as behind a load balancer. */
  get publicHost() {
    return new URL(this.callbackURL).host;
  }

  /** Base URL of a worker that is up, if any is. */
  any() {
    const ready = this.#list.filter(({ isReady }) => isReady);
    return ready.length === 0 ? undefined : `http://127.0.0.1:${pick(ready).port}`;
  }

  async end(signal) {
    const worker = this.#pickRunning();
    if (!worker) return;
    // A process that is asked to stop leaves the load balancer first. A killed process does not.
    worker.isReady = signal === 'SIGKILL';
    this.report.count('faults', `process ended by ${signal}`);
    const { child } = worker;
    // When the channel is closed, all messages of the process have arrived.
    const ended = Promise.all([once(child, 'exit'), once(child, 'disconnect')]);
    child.kill(signal);
    await ended;
    this.report.ended(child.pid, signal);
    worker.isReady = false;
    await this.#run(worker);
  }

  /** Stops a process for a while. Its load balancer notices after two seconds. */
  async freeze(ms) {
    const worker = this.#pickRunning();
    if (!worker) return;
    const { child } = worker;
    worker.isFrozen = true;
    this.report.count('faults', ms > claimMs ? 'process frozen for longer than a claim' : 'process frozen');
    child.kill('SIGSTOP');
    this.report.frozen(child.pid);
    await sleep(2_000);
    worker.isReady = false;
    await sleep(ms - 2_000);
    child.kill('SIGCONT');
    this.report.thawed(child.pid);
    worker.isFrozen = false;
    worker.isReady = true;
  }

  #pickRunning() {
    return pick(this.#list.filter(({ isReady, isFrozen }) => isReady && !isFrozen));
  }

  async stop() {
    this.#isStopping = true;
    await Promise.all(
      this.#list.map(async ({ child }) => {
        const ended = once(child, 'exit');
        child.kill('SIGKILL');
        await ended;
      }),
    );
  }

  async #run(worker) {
    if (this.#isStopping) return;
    const { port } = worker;
    const settings = {
      ...this.client,
      port,
      callbackURL: this.callbackURL,
      refresh: { inDoubtMs },
      store: { kind: this.store.kind, url: this.store.url },
    };
    worker.child = fork(program, { env: { ...process.env, LOAD_WORKER: JSON.stringify(settings) } });
    await new Promise((ready) => {
      const { pid } = worker.child;
      worker.child.on('message', (message) => {
        if (message.event === 'ready') ready();
        else this.report.told(pid, message);
      });
      worker.child.once('exit', ready);
    });
    worker.isReady = worker.child.exitCode === null && worker.child.signalCode === null;
    // A worker that could not start, for instance without the store, is started again.
    if (!worker.isReady) await this.#run(worker);
  }
}
