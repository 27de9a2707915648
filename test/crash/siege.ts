import { randomBytes } from 'node:crypto';
import type { TokenStore } from '../../lib/stores';
import { GrantCodec } from '../../lib/coordinator/codec';
import { KeyRing } from '../../lib/crypto/key-ring';
import { storeOptionsOf, type Stage } from './stage';
import { Worker, type News } from './workers';

const leaseMs = 1_500;
const drainMs = 300;
const httpTimeoutMs = 3_000;
/** How long a claim holds that is not renewed. */
const claimMs = leaseMs / 2 + httpTimeoutMs;
const encryptionKey = '__test_encryption_key_of_the_siege__';

/** An application in a process that may be killed or stopped at any moment. */
class Target {
  readonly id = randomBytes(6).toString('hex');
  url = '';
  isStopped = false;
  /** Grants whose refresh this process has begun and not ended, as far as it has told. */
  readonly open = new Set<string>();
  /** Grants whose refresh was under way in a pause of this process. */
  readonly slept = new Set<string>();
  /** Whether it was stopped at all. */
  hasSlept = false;
  readonly worker: Worker;

  constructor(worker: Worker) {
    this.worker = worker;
    worker.listen(({ news, app, grantId }: News) => {
      if (app !== this.id || grantId === undefined) return;
      if (news === 'refresh.started') this.open.add(grantId);
      else if (news.startsWith('refresh.')) this.open.delete(grantId);
    });
  }
}

/** A user with a browser that is in use, and one that is left alone but keeps its session. */
interface Person {
  username: string;
  password: string;
  userId: string;
  grantId: string;
  active: Map<string, string>;
  idle: Map<string, string>;
  /** Logins that had to be done anew. */
  logins: number;
}

interface Client {
  url: string;
  clientID: string;
  clientSecret: string;
}

/** A look into the store. */
export type StoreView = Pick<TokenStore, 'read'>;

export interface Toll {
  kills: number;
  stops: number;
  requests: number;
  served: number;
  refreshes: number;
  logins: number;
  /** Requests to the API whose connection Salesforce had closed while the process was stopped. */
  broken: number;
  /** What no lost token explains, and answers that an application must not give. */
  unexplained: string[];
  spent: number;
  overlapping: number;
}

/** Processes of one application on one store, of which one after the other is killed or stopped while users go on. */
export class Siege {
  readonly #stage: Stage;
  readonly #salesforce: Worker;
  readonly #store: StoreView;
  readonly #codec = new GrantCodec(new KeyRing([encryptionKey], 'grant'));
  readonly #toll: Toll = {
    ...{ kills: 0, stops: 0, requests: 0, served: 0, refreshes: 0, logins: 0, broken: 0 },
    ...{ unexplained: [], spent: 0, overlapping: 0 },
  };
  readonly #random: () => number;
  #client: Client = { url: '', clientID: '', clientSecret: '' };
  #targets: Target[] = [];
  /** Processes that were killed with a refresh under way. */
  readonly #dead = new Set<Target>();
  #people: Person[] = [];
  #isOver = false;

  private constructor(stage: Stage, salesforce: Worker, { store, random }: { store: StoreView; random: () => number }) {
    this.#stage = stage;
    this.#salesforce = salesforce;
    this.#store = store;
    this.#random = random;
  }

  /** @param store a connection to the store of the stage, to look into it */
  static async open(
    stage: Stage,
    { store, random, processes, users }: { store: StoreView; random: () => number; processes: number; users: number },
  ): Promise<Siege> {
    const salesforce = await Worker.start(require.resolve('./emulator.mjs'));
    const siege = new Siege(stage, salesforce, { store, random });
    const opened = await salesforce.call<Client & { users: Person[] }>('open', { users });
    siege.#client = opened;
    siege.#targets = await Promise.all(Array.from({ length: processes }, () => siege.#newTarget()));
    siege.#people = opened.users.map(({ username, password, userId }) => ({
      ...{ username, password, userId, grantId: '', logins: 0 },
      active: new Map<string, string>(),
      idle: new Map<string, string>(),
    }));
    for (const person of siege.#people) {
      await siege.#logIn(person, person.idle);
      await siege.#logIn(person, person.active);
      const answer = await siege.#browse(siege.#targets[0]!, '/grant', person.active);
      person.grantId = ((await answer.json()) as { grantId: string }).grantId;
    }
    await salesforce.call('slowDown');
    return siege;
  }

  /** Kills or stops a process `times` times, with users at all of them, and says what came of it. */
  async endure(times: number): Promise<Toll> {
    const users = Promise.all(this.#people.map((person) => this.#use(person)));
    const spares = [await this.#newTarget()];
    for (let time = 0; time < times; time++) {
      const target = this.#pick(this.#targets.filter(({ isStopped }) => !isStopped));
      if (!target) {
        await this.#moment(50);
        time -= 1;
        continue;
      }
      await this.#momentOf(target);
      if (this.#random() < 0.5) {
        await this.#kill(target, spares.pop() ?? (await this.#newTarget()));
        spares.push(await this.#newTarget());
      } else {
        this.#stop(target);
      }
    }
    this.#isOver = true;
    await this.#until(() => this.#targets.every(({ isStopped }) => !isStopped));
    await users;
    for (const person of this.#people) await this.#mustBeServed(person);
    const { refreshes, kinds } = await this.#salesforce.call<{ refreshes: number; kinds: ('spent' | 'overlapping')[] }>(
      'sum',
    );
    for (const kind of kinds) this.#toll[kind] += 1;
    this.#toll.refreshes = refreshes;
    this.#toll.logins = this.#people.reduce((sum, { logins }) => sum + logins, 0);
    return this.#toll;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    for (const { worker, isStopped } of this.#targets) if (isStopped) worker.signal('SIGCONT');
    await this.#salesforce.end();
  }

  async #newTarget(): Promise<Target> {
    const target = new Target(await this.#stage.pool.take());
    const opened = await target.worker.call<{ url: string }>('open', {
      app: target.id,
      store: storeOptionsOf(this.#stage, this.#stage.url),
      options: {
        clientID: this.#client.clientID,
        clientSecret: this.#client.clientSecret,
        scope: 'id api refresh_token',
        baseUrl: this.#client.url,
        encryptionKeys: [encryptionKey],
        httpTimeoutMs,
        refresh: { cacheMs: 0, leaseMs, drainMs, waitMs: 8_000 },
      },
    });
    target.url = opened.url;
    await this.#salesforce.call('allow', { callbackURL: `${target.url}/auth/salesforce/callback` });
    return target;
  }

  /** A random moment, mostly one shortly after the process has begun a refresh. */
  async #momentOf(target: Target): Promise<void> {
    if (this.#random() < 0.75) await this.#until(() => target.open.size > 0, 2_000);
    await this.#moment(this.#random() * 500);
  }

  async #kill(target: Target, spare: Target): Promise<void> {
    this.#targets[this.#targets.indexOf(target)] = spare;
    await target.worker.end();
    this.#dead.add(target);
    this.#toll.kills += 1;
  }

  #stop(target: Target): void {
    target.worker.signal('SIGSTOP');
    target.isStopped = true;
    this.#toll.stops += 1;
    // Shorter than the claim holds, longer, or longer than all there is.
    const pauseMs = this.#random() * 3 * (claimMs + drainMs);
    void this.#moment(pauseMs).then(() => {
      // What it told before it was stopped has arrived by now.
      for (const grantId of target.open) target.slept.add(grantId);
      target.hasSlept = true;
      target.worker.signal('SIGCONT');
      target.isStopped = false;
    });
  }

  /** Uses the application as a user does in two tabs, who reads and tries again, until all is over. */
  async #use(person: Person): Promise<void> {
    while (!this.#isOver) {
      if (this.#random() < 0.6) await this.#salesforce.call('expire', { userId: person.userId });
      const asked = [this.#pick(this.#targets)!, this.#pick(this.#targets)!];
      const statuses = await Promise.all(asked.map((target) => this.#ask(target, person)));
      if (statuses.includes(401)) await this.#explain(person);
      await this.#moment(this.#random() * 150);
    }
  }

  async #ask(target: Target, person: Person, cookies = person.active): Promise<number> {
    this.#toll.requests += 1;
    let response: Response;
    let text: string;
    try {
      response = await this.#browse(target, '/limits', cookies);
      text = await response.text();
    } catch {
      // The process has ended.
      return 0;
    }
    const { status } = response;
    if (status === 200) this.#toll.served += 1;
    else if (status === 502 && target.hasSlept && text.includes('ERR_SALESFORCE_CONNECTION_LOST'))
      this.#toll.broken += 1;
    else if (status !== 401 && !(status === 503 && response.headers.has('retry-after'))) {
      this.#toll.unexplained.push(`${person.username} was answered ${status}: ${text.slice(0, 200)}`);
    }
    return status;
  }

  /**
   * Finds the reason for a logout, and logs in anew. There is one: Salesforce answered the one presentation of the refresh token
   * with a token that the process which asked could not store, because it was killed or stood still.
   */
  async #explain(person: Person): Promise<void> {
    const { grantId, userId, username } = person;
    const record = await this.#store.read(grantId);
    const { refreshToken = '' } = record ? await this.#codec.decode(record) : {};
    const presented = await this.#salesforce.call<number>('presentations', { refreshToken });
    const [isActive, live] = await Promise.all([
      this.#isActive(refreshToken),
      this.#salesforce.call<number>('live', { userId }),
    ]);
    const isInterrupted = [...this.#dead, ...this.#targets].some(
      ({ open, slept }) => slept.has(grantId) || open.has(grantId),
    );
    if (presented !== 1 || isActive || live === 0 || !isInterrupted) {
      this.#toll.unexplained.push(
        `${username} was logged out: presented ${presented} times, active ${isActive}, live ${live}, interrupted ${isInterrupted}.`,
      );
    }
    for (const { open, slept } of [...this.#dead, ...this.#targets]) {
      open.delete(grantId);
      slept.delete(grantId);
    }
    await this.#logIn(person, person.active);
    person.logins += 1;
  }

  async #isActive(token: string): Promise<boolean> {
    const { url, clientID, clientSecret } = this.#client;
    const body = new URLSearchParams({ token, client_id: clientID, client_secret: clientSecret });
    const answer = await fetch(`${url}/services/oauth2/introspect`, { method: 'POST', body });
    return ((await answer.json()) as { active: boolean }).active;
  }

  /** Each process serves both browsers of a user in the end. */
  async #mustBeServed(person: Person): Promise<void> {
    for (const target of this.#targets) {
      for (const cookies of [person.active, person.idle]) {
        let status = 503;
        while (status === 503) status = await this.#ask(target, person, cookies);
        if (status === 401 && cookies === person.active) await this.#explain(person);
        else if (status !== 200) this.#toll.unexplained.push(`${person.username} is answered ${status} in the end.`);
      }
    }
  }

  async #logIn(person: Person, cookies: Map<string, string>): Promise<void> {
    for (;;) {
      const target = this.#pick(this.#targets.filter(({ isStopped }) => !isStopped));
      try {
        if (target && (await this.#tryToLogIn(target, person, cookies))) return;
      } catch {
        // The process was killed.
      }
      await this.#moment(100);
    }
  }

  async #tryToLogIn(target: Target, { username, password }: Person, cookies: Map<string, string>): Promise<boolean> {
    const begun = await this.#browse(target, '/auth/salesforce', cookies);
    const authorizeUrl = begun.headers.get('location') ?? '';
    const callback = await this.#salesforce.call<string>('logIn', { authorizeUrl, username, password });
    const ended = await this.#browse(target, callback.slice(target.url.length), cookies);
    return ended.status === 302;
  }

  async #browse({ url }: Target, path: string, cookies: Map<string, string>): Promise<Response> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { cookie, accept: 'application/json', referer: `${url}/` };
    const response = await fetch(url + path, { redirect: 'manual', headers });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', ...value] = (line.split(';')[0] ?? '').split('=');
      if (value.join('=') === '') cookies.delete(name);
      else cookies.set(name, value.join('='));
    }
    return response;
  }

  #pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }

  async #until(isTrue: () => boolean, longestMs = Infinity): Promise<void> {
    const startedAt = performance.now();
    while (!isTrue() && performance.now() - startedAt < longestMs) await this.#moment(10);
  }

  #moment(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }
}
