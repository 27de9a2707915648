import { randomBytes } from 'node:crypto';
import { startEmulator, type Emulator, type EmulatorClient, type FaultInjection } from '../../lib/emulator';
import type { LostAnswerPolicy } from '../../lib/coordinator/settings';
import { Line } from './proxy';
import type { Stage } from './stage';
import { storeServerOf, type StoreServer } from './store-server';
import type { StoreStep, Worker } from './workers';

/** What a cell sets differently. Times are short enough to be waited for, and long enough for a busy machine. */
export interface SceneOptions {
  leaseMs?: number;
  drainMs?: number;
  inDoubtMs?: number;
  waitMs?: number;
  storeTimeoutMs?: number;
  httpTimeoutMs?: number;
  onLostAnswer?: LostAnswerPolicy;
  /** A client without a secret, whose introspection proves nothing. */
  isPublic?: boolean;
  cacheMs?: number;
  /** A store server of the cell's own, to be harmed. */
  ownStore?: boolean;
}

/** A server's answer; status 0 where it ended before it answered. */
export interface Answer {
  status: number;
  error: string | undefined;
  retryAfter: string | null;
}

/** One application of the cell, in one process. */
interface SceneApp {
  worker: Worker;
  id: string;
  url: string;
}

/** A refresh that has been made to stop somewhere. */
export interface Stopped {
  /** The request that waits for it. */
  pending: Promise<Answer>;
  /** Lets it go on. */
  proceed: () => void;
}

export type Step = StoreStep | 'connecting' | 'S2' | 'S3' | 'S4' | 'S7';

/** A user with one browser. Its session is in its cookies, so both processes know it. */
class Person {
  readonly cookies = new Map<string, string>();
  readonly username: string;
  readonly userId: string;
  logins = 0;

  constructor({ username, userId }: { username: string; userId: string }) {
    this.username = username;
    this.userId = userId;
  }
}

/** Two processes of an application on one store, a Salesforce of their own, and two users logged in: all a cell needs. */
export class Scene {
  readonly stage: Stage;
  readonly emulator: Emulator;
  readonly client: EmulatorClient;
  /** The way to the token endpoint. */
  readonly line: Line;
  readonly store: StoreServer;
  readonly options: SceneOptions;
  /** The process that is harmed. */
  readonly a: SceneApp = { worker: undefined as never, id: '', url: '' };
  /** The process that takes over. */
  readonly b: SceneApp = { worker: undefined as never, id: '', url: '' };
  readonly user: Person;
  /** Somebody else, whom nothing of it may touch. */
  readonly bystander: Person;
  #isClosed = false;

  private constructor(stage: Stage, emulator: Emulator, line: Line, store: StoreServer, options: SceneOptions) {
    this.stage = stage;
    this.emulator = emulator;
    this.line = line;
    this.store = store;
    this.options = options;
    this.client = emulator.registerClient({
      callbackURLs: [],
      policy: { rotateRefreshTokens: true },
      clientSecret: options.isPublic ? false : undefined,
    });
    this.user = new Person(emulator.users[0]!);
    this.bystander = new Person(emulator.users[1]!);
  }

  static async open(stage: Stage, options: SceneOptions = {}): Promise<Scene> {
    const emulator = await startEmulator({ callbackURLs: [] });
    const line = await Line.to(Number(new URL(emulator.url).port));
    const store = await storeServerOf(stage, options.ownStore === true);
    const scene = new Scene(stage, emulator, line, store, options);
    Object.assign(scene.a, await scene.openApp(await stage.pool.take()));
    Object.assign(scene.b, await scene.openApp(stage.survivor));
    await scene.logIn(scene.user);
    await scene.logIn(scene.bystander);
    scene.user.logins = scene.bystander.logins = 0;
    return scene;
  }

  async openApp(worker: Worker): Promise<SceneApp> {
    const id = randomBytes(6).toString('hex');
    const { clientID, clientSecret } = this.client;
    const { isPublic, ownStore: _, httpTimeoutMs, ...settings } = this.options;
    const { url } = await worker.call<{ url: string }>('open', {
      app: id,
      store: this.store.options,
      options: {
        clientID,
        ...(clientSecret === '' ? {} : { clientSecret }),
        scope: isPublic ? 'openid id api refresh_token' : 'id api refresh_token',
        baseUrl: `http://localhost:${this.line.port}`,
        allowedHosts: [new URL(this.emulator.url).host],
        // A client without a secret proves who logged in by the ID token instead.
        login: { profileSource: isPublic ? 'userinfo' : 'id' },
        encryptionKeys: ['__test_encryption_key_for_crash_tests__'],
        ...(httpTimeoutMs === undefined ? {} : { httpTimeoutMs }),
        refresh: { cacheMs: 0, leaseMs: 10_000, drainMs: 300, waitMs: 20_000, ...settings },
      },
    });
    this.client.callbackURLs.push(`${url}/auth/salesforce/callback`);
    return { worker, id, url };
  }

  /** Sends a request as a browser would. */
  async ask(app: SceneApp, path = '/limits', person = this.user, init: RequestInit = {}): Promise<Answer> {
    try {
      const response = await this.browse(app, path, person, init);
      const text = await response.text();
      const error = text.startsWith('{') ? (JSON.parse(text) as { error?: string }).error : undefined;
      return { status: response.status, error, retryAfter: response.headers.get('retry-after') };
    } catch {
      return { status: 0, error: undefined, retryAfter: null };
    }
  }

  async browse({ url }: SceneApp, path: string, person: Person, init: RequestInit = {}): Promise<Response> {
    const cookie = [...person.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url + path, {
      redirect: 'manual',
      ...init,
      // As a user who follows a link of the application: another site may not begin every login.
      headers: { cookie, accept: 'application/json', referer: `${url}/` },
    });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
      if (value.join('=') === '') person.cookies.delete(name);
      else person.cookies.set(name, value.join('='));
    }
    return response;
  }

  async logIn(person: Person, app = this.b): Promise<void> {
    const start = await this.browse(app, '/auth/salesforce', person);
    const authorizeUrl = new URL(start.headers.get('location') ?? '');
    authorizeUrl.port = new URL(this.emulator.url).port;
    const callback = await this.emulator.logIn({ authorizeUrl: authorizeUrl.href, username: person.username });
    const end = await this.browse(app, callback.slice(app.url.length), person);
    // A busy machine may answer late.
    if (end.status === 503) return this.logIn(person, app);
    if (end.status !== 302) throw new Error(`The login ended with ${end.status}: ${await end.text()}`);
    person.logins += 1;
  }

  /** Ends the user's access token, as Salesforce does when it was idle for too long. */
  expire(person = this.user): void {
    this.emulator.expireAccessTokens({ userId: person.userId });
  }

  fault(fault: FaultInjection): ReturnType<Emulator['faults']['inject']> {
    return this.emulator.faults.inject(fault);
  }

  /** Makes a refresh of the user's grant, in the process to be harmed, stop at a step. */
  async stopAt(step: Step): Promise<Stopped> {
    const { a } = this;
    this.expire();
    switch (step) {
      case 'S0':
      case 'S1':
      case 'S5':
      case 'S6':
        await a.worker.call('pause', { app: a.id, step });
        return this.#begin(a.worker.heard('reached', a.id), () => void a.worker.call('resume', { app: a.id }));
      case 'connecting':
        await a.worker.call('pause', { app: a.id, step, how: String(this.line.port) });
        return this.#begin(a.worker.heard('reached', a.id), () => a.worker.unblock());
      case 'S2':
        return this.#begin(this.line.stallNext('POST /services/oauth2/token', 120), () => this.line.thaw());
      case 'S3':
      case 'S4': {
        const held = this.fault({ on: 'refresh', kind: 'hold', when: step === 'S3' ? 'before' : 'after' });
        return this.#begin(held.reached, () => held.release());
      }
      case 'S7': {
        const answer = await this.ask(a);
        return { pending: Promise.resolve(answer), proceed: () => undefined };
      }
    }
  }

  async #begin(reached: Promise<void>, proceed: () => void): Promise<Stopped> {
    const pending = this.ask(this.a);
    // A refresh that ends without getting there would be waited for in vain.
    const missed = pending.then(({ status, error }) => {
      throw new Error(`The refresh did not get to the step: ${status} ${error ?? ''}`);
    });
    missed.catch(() => undefined);
    await Promise.race([reached, missed]);
    return { pending, proceed };
  }

  /** Asks until an answer is as wanted. The time that passes is that of leases and pauses, which are real. */
  async askUntil(wanted: (answer: Answer) => boolean, app = this.b, person = this.user): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(app, '/limits', person);
      if (wanted(answer)) return answer;
      if (answer.status !== 503) throw new Error(`Unexpected answer: ${JSON.stringify(answer)}`);
      if (answer.retryAfter === null) throw new Error(`A 503 without Retry-After: ${String(answer.error)}`);
      await this.moment();
    }
  }

  /** Does as a user does: tries again while told to, and logs in again when sent to the login. */
  async useAgain(app = this.b, person = this.user): Promise<void> {
    const { status } = await this.askUntil(({ status: got }) => got === 200 || got === 401, app, person);
    if (status === 200) return;
    await this.logIn(person, app);
    const after = await this.ask(app, '/limits', person);
    if (after.status !== 200) throw new Error(`After the new login: ${JSON.stringify(after)}`);
  }

  /** The id of the user's grant. */
  async grantId(): Promise<string> {
    const response = await this.browse(this.b, '/grant', this.user);
    return ((await response.json()) as { grantId: string }).grantId;
  }

  async until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await this.moment();
  }

  /** A short pause. A cell that was given up ends here. */
  moment(): Promise<void> {
    if (this.#isClosed) throw new Error('The cell is over.');
    return new Promise((resolve) => setTimeout(resolve, 60));
  }

  /** Refresh tokens of a user that Salesforce would still take. */
  live(person = this.user): number {
    return this.emulator.liveTokens({ userId: person.userId }).refreshTokens;
  }

  /** Presentations of refresh tokens, of all users. */
  get presented(): number {
    return [...this.emulator.presentations.values()].reduce((sum, count) => sum + count, 0);
  }

  async close(): Promise<void> {
    const { a, b, stage } = this;
    this.#isClosed = true;
    this.emulator.faults.clear();
    this.line.thaw();
    if (a.worker.isAlive) {
      a.worker.signal('SIGCONT');
      await a.worker.call('leave', { app: a.id }).catch(() => undefined);
    }
    stage.pool.give(a.worker);
    await b.worker.call('leave', { app: b.id });
    await this.line.close();
    await this.store.close();
    await this.emulator.stop();
  }
}
