import { wait, within, type Clock } from '../clock';
import type { Reporter } from '../reporter';
import { noAnswer, noAnswerWithin, storeFailureOf, type StoreFailure } from '../stores/failure';
import { MemoryTokenStore } from '../stores/memory';
import type { StoreFinding, TokenStore } from '../stores/store';

/** How long the store may take to answer. */
const answerMs = 5_000;

/** When to look again if the client is not connected: applications connect while they start. */
const connectMs = 5_000;

/** A look at the token store when the middleware is made. */
export interface StoreProbe {
  /** The application ends, so failures from now on are not reported. */
  end: () => void;
}

interface Probed {
  store: TokenStore;
  clock: Clock;
  reporter: Reporter;
}

/**
 * Asks the token store once, in the background, and tells the operator what will fail: a missing table, permission or
 * connection. Nothing waits for it, and nothing fails because of it.
 */
export function probeStore({ store, clock, reporter }: Probed): StoreProbe {
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    let failure = await failureOf(store, clock);
    if (failure && isUnconnected(failure)) {
      await wait(clock, connectMs, ending.signal);
      if (!ending.signal.aborted) failure = await failureOf(store, clock);
    }
    const findings = failure ? [] : await findingsOf(store);
    if (ending.signal.aborted) return;
    if (failure)
      reporter.warn(
        'STORE_UNAVAILABLE',
        `${noAnswer(failure)} ${failure.fix} Until then no user can log in, and no token can be refreshed.`,
      );
    for (const { check, message, fix } of findings) {
      reporter.warn(`STORE_${check.toUpperCase()}`, fix === undefined ? message : `${message} ${fix}`);
    }
  };
  void look();
  return { end: () => ending.abort() };
}

/** Why the store does not answer; undefined if it does. */
async function failureOf(store: TokenStore, clock: Clock): Promise<StoreFailure | undefined> {
  // The memory store always answers.
  if (store instanceof MemoryTokenStore) return undefined;
  try {
    await within(clock, answerMs, Promise.resolve(store.read('start-no-such-grant')), () => noAnswerWithin(answerMs));
    return undefined;
  } catch (error) {
    return storeFailureOf(error);
  }
}

/** What would lose logins. A server that does not tell its settings is not reported. */
async function findingsOf(store: TokenStore): Promise<StoreFinding[]> {
  try {
    const findings = (await store.diagnose?.({})) ?? [];
    return findings.filter(({ level }) => level === 'error');
  } catch {
    return [];
  }
}

/** The client libraries say so with sentences, and the servers with codes. */
function isUnconnected({ code }: StoreFailure): boolean {
  return code === undefined;
}
