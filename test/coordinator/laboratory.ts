import { SalesforceAuthError, type SalesforceEventName } from '../../lib';
import type { GetOptions } from '../../lib/coordinator/coordinator';
import { eventNames } from '../../lib/coordinator/events';
import type { GrantHolder } from '../../lib/coordinator/grants';
import type { GrantRecord, TokenStore } from '../../lib/stores/store';
import type { TokenSet } from '../../lib/token/types';
import { begin, memory } from '../schedules/play';
import type { Process } from '../schedules/process';
import { claimMs, type Setting, type SharedStore, type World } from '../schedules/world';

export { claimMs };

/** An event: its name, and its data without the grant. */
export type Told = [name: SalesforceEventName, data: Record<string, unknown>];

const opened = new Set<Laboratory>();

// No refresh token may be presented after it was spent, nor twice at once.
afterEach(() => {
  const violations = [...opened].flatMap(({ world }) => world.salesforce.provider.presentations.violations);
  opened.clear();
  expect(violations).toEqual([]);
});

/** What came of asking for a token: its value, or the error. */
export type Answer = string | SalesforceAuthError;

/**
 * The coordinator with Salesforce and a store in virtual time. A trip to the store takes 2 ms, one to Salesforce 10 ms, and all
 * jitter is at its middle.
 */
export class Laboratory {
  readonly world: World;
  readonly session: GrantHolder;
  readonly #told = new Map<Process, Told[]>();

  private constructor(world: World, session: GrantHolder) {
    this.world = world;
    this.session = session;
    for (const process of world.processes) {
      const list: Told[] = [];
      this.#told.set(process, list);
      for (const name of eventNames) {
        process.core.events.emitter.on(name, ({ grantId: _grantId, ...data }: Record<string, unknown>) => {
          list.push([name, data]);
        });
      }
    }
  }

  /** Begins with one user logged in. */
  static async open(
    setting: Partial<Setting> & { scope?: string } = {},
    store: SharedStore = memory(),
  ): Promise<Laboratory> {
    const given = { processes: 1, isPublic: false, rotates: true, isCertain: false, onLostAnswer: 'wait' as const };
    const world = begin({ ...given, ...setting }, store, () => 0.5);
    const login = world.login(world.process(0), setting.scope ?? 'id api refresh_token');
    await world.elapse(50);
    const laboratory = new Laboratory(world, (await login)!);
    opened.add(laboratory);
    return laboratory;
  }

  process(index = 0): Process {
    return this.world.process(index);
  }

  /** Makes a process forget the grant, as one that has served no request of the user. */
  forget(index = 0): void {
    this.process(index).core.coordinator.forget(this.session.grantId);
  }

  /** The store behind all connections. */
  get store(): TokenStore {
    return this.world.store;
  }

  /** What a process told since it was last asked. */
  told(index = 0): Told[] {
    return this.#told.get(this.process(index))!.splice(0);
  }

  /** Begins to ask for a token; time has to pass for an answer. */
  ask(options: GetOptions = {}, index = 0): Promise<Answer> {
    const process = this.process(index);
    const { grantId, generation } = this.session;
    return process.run(() =>
      process.core.coordinator.get({ grantId, generation }, options).then(({ accessToken }) => accessToken, known),
    );
  }

  /** Asks for a token and gives it the time it takes. */
  async get(options: GetOptions = {}, index = 0): Promise<Answer> {
    return this.during(this.ask(options, index), 100);
  }

  /** Asks for another token than the one that is stored, as after a 401. */
  async getOther(index = 0): Promise<Answer> {
    return this.get({ rejected: (await this.tokens()).accessToken }, index);
  }

  /** Lets time pass; returns what `work` came to meanwhile. */
  async during<T>(work: Promise<T>, ms: number): Promise<T> {
    await this.world.elapse(ms);
    return Promise.race([work, Promise.reject(new Error(`Not done after ${ms} ms.`))]);
  }

  async record(): Promise<GrantRecord> {
    return (await this.store.read(this.session.grantId))!;
  }

  async tokens(): Promise<TokenSet> {
    return JSON.parse((await this.record()).payload) as TokenSet;
  }

  /** How often each refresh token was presented. */
  get presentations(): number[] {
    return [...this.world.salesforce.provider.presentations.counts.values()];
  }

  get faults(): World['salesforce']['provider']['faults'] {
    return this.world.salesforce.provider.faults;
  }
}

function known(error: unknown): SalesforceAuthError {
  if (error instanceof SalesforceAuthError) return error;
  throw error as Error;
}

/** What a caller is told by the error of `work`; undefined where it succeeds. */
export function failure(work: Promise<unknown>): Promise<object | string | undefined> {
  return work.then(
    () => undefined,
    (error: unknown) => essence(known(error)),
  );
}

/** What a caller is told by an error. */
export function essence(answer: Answer): object | string {
  if (typeof answer === 'string') return answer;
  const { code, status, retryAfterSeconds } = answer;
  return { code: code.replace('ERR_SALESFORCE_', ''), status, retryAfterSeconds };
}

/** What a caller is told whose login is over. */
export const reauthentication = { code: 'REAUTHENTICATION_REQUIRED', status: 401, retryAfterSeconds: undefined };
