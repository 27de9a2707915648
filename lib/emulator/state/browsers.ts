import { BoundedMap } from '../../bounded-map';
import type { Reply } from '../http/reply';
import { randomText } from '../org/ids';
import type { EmulatorUser } from '../org/users';
import type { EmulatorClient } from './clients';

/** A browser, identified by its session cookie. */
export interface Browser {
  id: string;
  /** A secret in every form, so that another site cannot send the form. */
  readonly csrfToken: string;
  user: EmulatorUser | undefined;
  /** Usernames of earlier logins in this browser, which Salesforce offers again. */
  readonly remembered: string[];
}

/** An authorization request that the user is answering. */
export interface Transaction {
  /** The id of the transaction in the URLs of the pages. */
  readonly source: string;
  readonly client: EmulatorClient;
  readonly redirectURI: string;
  readonly state: string | undefined;
  readonly scopes: readonly string[];
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  readonly prompt: readonly string[];
  readonly loginHint: string | undefined;
  readonly display: string;
  readonly site: string;
  /** Whether the user has logged in for this request, or has chosen an account. */
  loggedIn: boolean;
  chosen: boolean;
  /** The user who allowed access. Another user of the browser must be asked again. */
  approvedBy: EmulatorUser | undefined;
}

/** Number of browsers, of begun logins and of one-time passwords that are remembered. */
const maxRemembered = 10_000;

/** Number of answers that are remembered. */
const maxFinished = 100;

/** Browser sessions and their transactions. */
export class Browsers {
  readonly #browsers = new BoundedMap<string, Browser>(maxRemembered);
  readonly #transactions = new BoundedMap<string, Transaction>(maxRemembered);
  readonly #oneTimePasswords = new BoundedMap<string, EmulatorUser>(maxRemembered);
  readonly #finished = new BoundedMap<string, { transaction: Transaction; answer: Reply }>(maxFinished);

  find(id: string | undefined): Browser | undefined {
    return id === undefined ? undefined : this.#browsers.get(id);
  }

  create(): Browser {
    const browser: Browser = { id: randomText(32), csrfToken: randomText(32), user: undefined, remembered: [] };
    this.#browsers.set(browser.id, browser);
    return browser;
  }

  /** Logs a user in with a new session id, because an attacker may have set the old id. */
  logIn(browser: Browser, user: EmulatorUser): void {
    this.#browsers.delete(browser.id);
    browser.id = randomText(32);
    browser.user = user;
    if (!browser.remembered.includes(user.username)) browser.remembered.push(user.username);
    this.#browsers.set(browser.id, browser);
  }

  start(transaction: Omit<Transaction, 'source' | 'loggedIn' | 'chosen' | 'approvedBy'>): Transaction {
    const started: Transaction = {
      ...transaction,
      source: randomText(32),
      loggedIn: false,
      chosen: false,
      approvedBy: undefined,
    };
    this.#transactions.set(started.source, started);
    return started;
  }

  transaction(source: string | null): Transaction | undefined {
    return source === null ? undefined : this.#transactions.get(source);
  }

  /** Makes a key that opens a browser session once, without a login page. */
  issueOneTimePassword(user: EmulatorUser): string {
    const value = `__fake_one_time_password_${randomText(24)}__`;
    this.#oneTimePasswords.set(value, user);
    return value;
  }

  takeOneTimePassword(value: string | null): EmulatorUser | undefined {
    const user = this.#oneTimePasswords.get(value ?? '');
    this.#oneTimePasswords.delete(value ?? '');
    return user;
  }

  /**
   * Ends a transaction and remembers its answer. A user who clicks Allow twice is redirected twice with the same code.
   */
  finish(transaction: Transaction, answer: Reply): void {
    this.#transactions.delete(transaction.source);
    this.#finished.set(transaction.source, { transaction, answer });
  }

  /** A transaction that was already answered, and the answer. */
  finished(source: string | null): { transaction: Transaction; answer: Reply } | undefined {
    return source === null ? undefined : this.#finished.get(source);
  }
}
