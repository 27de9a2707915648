import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import createDebug from 'debug';
import type { NextFunction, Request, Response } from 'express';
import { eventNames } from '../../lib/coordinator/events';
import type { SalesforceAuth } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import type { Emulator } from '../../lib/emulator';

/**
 * The search for secrets: after each test, what the package put out during it is searched for what the emulators know and
 * nobody else may show. Suites take part by starting emulators and applications with the helpers.
 *
 * It takes about a fifth of the time of all suites; `SCAN_FOR_SECRETS=0` goes without, for programs that run a test again and
 * again.
 */
const isOn = process.env['SCAN_FOR_SECRETS'] !== '0';

interface Shown {
  where: string;
  text: string;
}

const emulators = new Set<Emulator>();
const stores = new Set<TokenStore>();
const shown: Shown[] = [];

/** Secrets of the tests themselves. */
const ownSecrets = ['__test_session_secret__', '__test_cookie_key__', '__test_encryption_key_of_32_chars__'];

/** Emulator's tokens by their form, so that one that was issued and never used is found as well. */
export const secretForms: Readonly<Record<string, RegExp>> = {
  'a refresh token': /5Aep861_fake_\w{20,}/,
  'an access token': /00D\w{12}!AQ\.\w{20,}/,
  'a JWT': /eyJ[\w-]{20,}\.eyJ[\w-]{20,}\.[\w-]{20,}/,
  'a code': /aPrx[A-Za-z0-9._]{60,}/,
  'a client secret': /__fake_client_secret_\w{8,}/,
  'a password': /__fake_password_\d+__/,
};

const secretFields = [
  'client_secret',
  'client_assertion',
  'assertion',
  'code',
  'code_verifier',
  'refresh_token',
  'token',
  'access_token',
  'password',
  'otp',
];

/** Everything an emulator ever saw that must not be seen anywhere else. */
export function secretsOf(emulator: Emulator): Set<string> {
  const secrets = new Set<string>(emulator.clients.map(({ clientSecret }) => clientSecret));
  for (const { body, query, headers } of emulator.requests) {
    for (const source of [body, query] as (Record<string, unknown> | undefined)[]) {
      for (const name of secretFields) {
        const value = source?.[name];
        if (typeof value === 'string' && value.length > 8) secrets.add(value);
      }
    }
    const [scheme, credentials] = headers['authorization']?.split(' ') ?? [];
    if (scheme === 'Bearer' && credentials !== undefined) secrets.add(credentials);
  }
  for (const token of emulator.presentations.keys()) secrets.add(token);
  for (const { password } of emulator.users) secrets.add(password);
  secrets.delete('');
  return secrets;
}

/** All that a value could show to a logger: causes, hidden properties and what `JSON.stringify` makes of it. */
export function everythingOf(value: unknown, depth = 0): string {
  const texts = [inspect(value, { depth: 8, showHidden: true, getters: false, maxStringLength: 20_000 })];
  try {
    texts.push(JSON.stringify(value));
  } catch {
    // Circular, as requests are.
  }
  if (value instanceof Error) {
    texts.push(value.stack ?? '', value.message, String(value));
    if (value.cause !== undefined && depth < 6) texts.push(everythingOf(value.cause, depth + 1));
  }
  return texts.join('\n');
}

/** Notes something the package put out. */
export function note(where: string, value: unknown): void {
  if (!isOn) return;
  shown.push({ where, text: typeof value === 'string' ? value : everythingOf(value) });
}

/** Has what this emulator knows be searched for. */
export function watchForLeaks(emulator: Emulator): void {
  if (isOn) emulators.add(emulator);
}

/** Has an encrypted store be searched. */
export function watchStore(store: TokenStore): void {
  if (isOn) stores.add(store);
}

/** Notes what jobs are refused with; request errors reach the error handler. */
export function watchJobs({ tokens }: SalesforceAuth): void {
  if (!isOn) return;
  for (const name of ['get', 'find', 'revoke', 'adopt'] as const) {
    const original = (tokens[name] as (...given: unknown[]) => Promise<unknown>).bind(tokens);
    Object.assign(tokens, {
      [name]: async (...given: unknown[]) => {
        try {
          return await original(...given);
        } catch (error) {
          note(`the error of tokens.${name}()`, error);
          throw error;
        }
      },
    });
  }
}

/** Notes answers of the package's own routes with their headers and, for a few requests of each kind, the request itself. */
export function requestWatch(): (req: Request, res: Response, next: NextFunction) => void {
  const seen = new Map<string, number>();
  if (!isOn) return (_req, _res, next) => next();
  return (req, res, next) => {
    const path = req.originalUrl.split('?')[0]!;
    const count = (seen.get(path) ?? 0) + 1;
    seen.set(path, count);
    if (count > 3) {
      next();
      return;
    }
    const isOwn = path.includes('/auth/salesforce');
    if (isOwn) {
      const end = res.end.bind(res) as (...given: unknown[]) => Response;
      res.end = ((...given: unknown[]) => {
        if (typeof given[0] === 'string' || Buffer.isBuffer(given[0])) note(`the page ${path}`, String(given[0]));
        return end(...given);
      }) as never;
    }
    res.once('finish', () => {
      note(`the headers of ${path}`, JSON.stringify(isOwn ? res.getHeaders() : (res.getHeader('set-cookie') ?? '')));
      const { salesforce, session } = req as unknown as Record<string, unknown>;
      note(`req.salesforce at ${path}`, salesforce);
      // As a session store gets it; unserialised it has the request in it.
      note(`the session at ${path}`, JSON.stringify(session ?? null));
      // A callback's URL has a code in it, which is Salesforce's doing; the rest of the request is looked at all the same.
      const isCallback = path.includes('/callback') || /[?&]code=.*&state=/.test(req.url);
      if (!isCallback) note(`req at ${path}`, inspect(req, { depth: 3 }));
    });
    next();
  };
}

/** What of the emulators' secrets is in what was noted so far, in words that do not repeat them. */
export function findLeaks(): string[] {
  const exact = [...ownSecrets, ...[...emulators].flatMap((emulator) => [...secretsOf(emulator)])];
  const leaks = new Set<string>();
  for (const { where, text } of shown) {
    for (const [what, form] of Object.entries(secretForms)) if (form.test(text)) leaks.add(`${what} in ${where}`);
    for (const secret of exact) {
      if (text.includes(secret))
        leaks.add(`a secret of ${secret.length} characters (${secret.slice(0, 4)}…) in ${where}`);
    }
  }
  return [...leaks];
}

/** Forgets what was noted: for a test that shows secrets on purpose. */
export function forgetShown(): void {
  shown.length = 0;
}

async function noteStores(): Promise<void> {
  for (const store of stores) {
    try {
      for await (const record of store.list({})) note('an encrypted store', JSON.stringify(record));
    } catch {
      // A store that a test broke or closed.
    }
  }
}

// Jest runs this file in setupFilesAfterEnv. Other programs have no hooks.
if (isOn && typeof afterEach === 'function') {
  const onEvent = (event: unknown, name: string | symbol): void => note(`the event ${String(name)}`, event);
  // All but the one that is not even made where nobody listens.
  const channels = eventNames
    .filter((name) => name !== 'token.served')
    .map((name) => `express-salesforce-auth:${name}`);
  const printed = createDebug.log;
  // Read now: `enable()` writes it.
  const asked = process.env['DEBUG'];
  const restore: (() => void)[] = [];

  beforeAll(() => {
    for (const name of channels) subscribe(name, onEvent);
  });

  beforeEach(() => {
    createDebug.enable(asked || 'express-salesforce-auth:*');
    createDebug.log = (...line: unknown[]) => {
      note('the debug log', inspect(line));
      if (asked) printed(...line);
    };
    for (const stream of [process.stdout, process.stderr]) {
      const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
      stream.write = (...given: unknown[]) => {
        note(stream === process.stdout ? 'stdout' : 'stderr', String(given[0]));
        return write(...given);
      };
      restore.push(() => (stream.write = write as never));
    }
    for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      const print = console[name].bind(console); // eslint-disable-line no-console
      // eslint-disable-next-line no-console
      console[name] = (...line: unknown[]) => {
        note(`console.${name}`, inspect(line, { depth: 8 }));
        print(...line);
      };
      restore.push(() => (console[name] = print)); // eslint-disable-line no-console
    }
  });

  afterEach(async () => {
    for (const undo of restore.splice(0)) undo();
    createDebug.disable();
    createDebug.log = printed;
    await noteStores();
    const leaks = emulators.size === 0 ? [] : findLeaks();
    forgetShown();
    stores.clear();
    emulators.clear();
    if (leaks.length > 0) throw new Error(`Secrets were shown:\n${leaks.map((leak) => `  ${leak}`).join('\n')}`);
  });

  afterAll(() => {
    for (const name of channels) unsubscribe(name, onEvent);
  });
}
