import assert from 'node:assert/strict';
import { systemClock, wait } from '../../clock';
import { randomName, type Bench, type Part } from './bench';

/** How long to listen for what must not come; what was on its way before is heard by then. */
const silenceMs = 50;

/** What a store tells, with a way to wait for it. */
class Ear {
  readonly #heard = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  readonly #bench: Bench;
  readonly end: () => void;

  constructor(bench: Bench) {
    const end = bench.store.subscribe?.((grantId) => {
      this.#heard.add(grantId);
      this.#waiting.get(grantId)?.();
    });
    assert(end, 'The store has no subscribe(); say so with the option notifies: false.');
    this.#bench = bench;
    this.end = end;
  }

  /** Waits until the store has begun to tell: changes grants of no interest until one of them is heard of. */
  async open(): Promise<this> {
    for (let elapsedMs = 0; this.#heard.size === 0; elapsedMs += silenceMs) {
      assert(elapsedMs < this.#bench.toleranceMs, 'The store tells of nothing.');
      const grantId = randomName();
      await this.#bench.logIn({}, grantId);
      await this.#wait(grantId, silenceMs);
    }
    return this;
  }

  /** Insists that a change of the grant is heard of. */
  async hears(what: string, change: () => Promise<unknown>): Promise<void> {
    const { grantId, toleranceMs } = this.#bench;
    this.#heard.delete(grantId);
    await change();
    assert(await this.#wait(grantId, toleranceMs), `Nothing was told of ${what}.`);
    // Twice is allowed, and must not be taken for the next one.
    await wait(systemClock, silenceMs);
  }

  async #wait(grantId: string, timeoutMs: number): Promise<boolean> {
    const heard = new AbortController();
    this.#waiting.set(grantId, () => heard.abort());
    if (!this.#heard.has(grantId)) await wait(systemClock, timeoutMs, heard.signal);
    this.#waiting.delete(grantId);
    return this.#heard.has(grantId);
  }

  isSilentAbout(grantId: string): boolean {
    return !this.#heard.has(grantId);
  }
}

export function describeNotifications({ describe, it }: Part): void {
  describe('subscribe()', () => {
    it('tells of a login, of a claim given back, of new tokens and of a logout', async (bench) => {
      const ear = await new Ear(bench).open();
      try {
        let login = { generation: '', version: 0, holder: '' };
        await ear.hears('a login', async () => (login = await bench.logIn()));
        const owner = await bench.takeClaim(login);
        await ear.hears('a claim given back', () => bench.releaseClaim(login, owner));
        await ear.hears('new tokens', () => bench.commit(login));
        await ear.hears('a login over another', () => bench.logIn({ ...login, expected: { ...login, version: 2 } }));
        const last = await bench.takeClaim({ ...login, version: 3 });
        await ear.hears('a logout', () => bench.logOut(login, { everywhere: true }));
        await ear.hears('the end of the attempt a logout waits for', () =>
          bench.releaseClaim({ ...login, version: 3 }, last),
        );
      } finally {
        ear.end();
      }
    });

    it('tells nothing any more once it is ended, and goes on telling others', async (bench) => {
      const ear = await new Ear(bench).open();
      const other = await new Ear(bench).open();
      ear.end();

      try {
        await other.hears('a login', () => bench.logIn());

        assert(ear.isSilentAbout(bench.grantId), 'It was told after its end.');
      } finally {
        other.end();
        // Ending twice is no mistake.
        ear.end();
      }
    });
  });
}
