/** @again legacy-policy */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from 'express';
import { AuthTokenRefresh } from 'passport-oauth2-refresh';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { sides, startBoth, type Done, type Given, type Side } from './side-by-side';

/*
 * SalesforceStrategy beside a plain subclass of passport-oauth2 in one application. Each row is walked with both, and what is
 * seen must be as its verdict says. docs/strategy.md has the table: UPDATE_STRATEGY_TABLE=1 writes it.
 */

interface Row {
  name: string;
  given?: Given;
  /** What a browser does; returns what is seen. */
  walk: (side: Side) => Promise<string>;
  verdict: 'same' | 'better' | 'different on purpose';
  /** Why it is not the same. */
  why?: string;
  /** What plain passport-oauth2 does to the process or the request, so that it cannot be walked in a test. */
  breaks?: string;
}

const names = (params: Record<string, string>): string => Object.keys(params).sort().join(' ');
const logIn = (side: Side): Promise<string> => side.logIn();
const deny = (side: Side): Promise<string> => side.logIn('deny');
const badState = async (side: Side): Promise<string> =>
  side.open((await side.walk()).replace(/state=[^&]+/, 'state=of-another-login'));

/** A verify function that notes how many arguments it got, and of what kind. */
const kinds = (seen: string[], given: unknown[]): void => {
  seen.push(given.map((value) => (value === undefined ? 'nothing' : typeof value)).join(' '));
};
const thenSeen = async (side: Side): Promise<string> => {
  const answer = await side.logIn();
  return `${answer}; ${side.seen.join(', ')}`;
};

const otherCallback = (name: string): object => ({ callbackURL: `/${name}/other` });

const rows: Row[] = [
  // The redirect.
  {
    name: 'Parameters of the authorization request',
    walk: async (side) => names(await side.begin()),
    verdict: 'different on purpose',
    why: '`prompt` is `login` unless an option says otherwise; `prompt: false` sends none.',
  },
  {
    name: '`scope` of the constructor as a list',
    given: { options: { scope: ['id', 'web'] } },
    walk: async (side) => (await side.begin())['scope']!,
    verdict: 'same',
  },
  {
    name: '`scope` of the constructor as text',
    given: { options: { scope: 'id web' } },
    walk: async (side) => (await side.begin())['scope']!,
    verdict: 'same',
  },
  {
    name: '`scope` of the call',
    given: { login: { scope: ['id', 'full'] } },
    walk: async (side) => (await side.begin())['scope']!,
    verdict: 'same',
  },
  {
    name: '`callbackURL` of the call, on both routes',
    given: { login: otherCallback, callback: otherCallback },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`prompt` of the call',
    given: { login: { prompt: 'consent' } },
    walk: async (side) => `prompt ${String((await side.begin())['prompt'])}`,
    verdict: 'better',
    why: 'passport-oauth2 needs a subclass for it.',
  },
  {
    name: '`login_hint` of the call',
    given: { login: { login_hint: 'ada@example.com' } },
    walk: async (side) => `login_hint ${String((await side.begin())['login_hint'])}`,
    verdict: 'better',
    why: 'passport-oauth2 needs a subclass for it.',
  },
  {
    name: 'An unknown option of the call',
    given: { login: { promt: 'consent' } },
    walk: (side) => side.begin().then(names, (error: unknown) => (error as Error).message.replace(/^.*?: /, '')),
    verdict: 'different on purpose',
    why: 'A misspelt option is refused, as in the constructor.',
  },
  {
    name: "A subclass's `authorizationParams()`",
    given: {
      extend: (Base) =>
        class extends Base {
          override authorizationParams(options: { audience?: string }): object {
            return { audience: options.audience };
          }
        },
      login: { audience: 'partners' },
    },
    walk: async (side) => `audience ${String((await side.begin())['audience'])}`,
    verdict: 'same',
  },
  {
    name: 'The PKCE method',
    walk: async (side) => (await side.begin())['code_challenge_method']!,
    verdict: 'same',
  },
  // State.
  {
    name: '`state` of the call, an object',
    given: { login: { state: { page: 7 } } },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`state` of the call, a text',
    given: { login: { state: 'page-7' } },
    walk: logIn,
    verdict: 'better',
    why: 'passport-oauth2 sends the text in place of the random `state`, which ends its check of it.',
  },
  {
    name: '`state` of the call on the wire',
    given: { login: { state: 'page-7' } },
    walk: async (side) => ((await side.begin())['state'] === 'page-7' ? 'the text' : 'random'),
    verdict: 'better',
    why: 'A `state` that can be guessed protects no login.',
  },
  {
    name: 'Two logins at once in one browser, the first ends first',
    walk: async (side) => {
      const first = await side.walk();
      const second = await side.walk();
      return `${await side.open(first)}; ${await side.open(second)}`;
    },
    verdict: 'better',
    why: 'Each login has a cookie of its own, so that two tabs can log in.',
  },
  {
    name: 'Bad `state`, nothing to redirect to',
    walk: badState,
    verdict: 'same',
  },
  {
    name: 'Bad `state` with `failureRedirect`',
    given: { callback: { failureRedirect: '/failed' } },
    walk: badState,
    verdict: 'same',
  },
  {
    name: 'Bad `state` with an array of strategies',
    given: { target: (name) => [name, 'guest'] },
    walk: badState,
    verdict: 'same',
  },
  {
    name: 'A callback that is opened by nobody who began a login',
    walk: (side) => side.open(`/${side.name}/callback?code=abc&state=def`),
    verdict: 'same',
  },
  {
    name: 'A callback that is opened a second time',
    walk: async (side) => {
      const callback = await side.walk();
      await side.open(callback);
      return side.open(callback);
    },
    verdict: 'same',
  },
  {
    name: 'A callback with a `state` and nothing else',
    walk: async (side) => (await side.open(`/${side.name}/callback?state=abc`)).replace(/ to http.*/, ' to Salesforce'),
    verdict: 'different on purpose',
    why: 'It is the rest of a login, and no wish for a new one.',
  },
  // Denial.
  { name: 'Denied, nothing to redirect to', walk: deny, verdict: 'same' },
  {
    name: 'Denied with `failureRedirect`',
    given: { callback: { failureRedirect: '/failed' } },
    walk: deny,
    verdict: 'same',
  },
  {
    name: 'Denied with `failureMessage`',
    given: { callback: { failureRedirect: '/failed', failureMessage: true } },
    walk: async (side) => {
      await side.logIn('deny');
      return side.get('/failed');
    },
    verdict: 'different on purpose',
    why: 'The message is written for the user; that of the provider is in `info.error`.',
  },
  {
    name: 'Denied with `failWithError`',
    given: { callback: { failWithError: true } },
    walk: deny,
    verdict: 'same',
  },
  {
    name: 'Denied with an array of strategies',
    given: { target: (name) => [name, 'guest'] },
    walk: deny,
    verdict: 'same',
  },
  {
    name: 'Denied with a custom callback: `(err, user, info, status)`',
    given: {
      custom: (_req, res) => (error, user, info, status) => {
        res.send(
          `${String(error)} ${String(user)} ${typeof (info as { message?: unknown }).message} ${String(status)}`,
        );
      },
    },
    walk: deny,
    verdict: 'better',
    why: 'The callback learns the status.',
  },
  {
    name: 'Another error of the provider, of a login that began',
    walk: async (side) => {
      const callback = await side.walk();
      return side.open(callback.replace(/code=[^&]+/, 'error=server_error&error_description=Later'));
    },
    verdict: 'different on purpose',
    why: 'The status is 503, and the message says what to do.',
  },
  {
    name: 'An error at the callback without a login',
    given: { callback: { failureRedirect: '/failed' } },
    walk: (side) => side.open(`/${side.name}/callback?error=server_error&error_description=From+anybody`),
    verdict: 'better',
    why: 'Anybody can open such a link. What it says reaches no error handler.',
  },
  // Success.
  {
    name: '`successRedirect`',
    given: { callback: { successRedirect: '/home' } },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: 'A custom callback after a login',
    given: {
      custom: (_req, res) => (error, user, info) => {
        res.send(`${String(error)} ${JSON.stringify(user)} ${JSON.stringify(info)}`);
      },
    },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`session: false`',
    given: { callback: { session: false } },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`assignProperty`',
    given: { callback: { assignProperty: 'account' } },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`info` of verify',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, done: Done) => {
        done(null, { id: 'known' }, { plan: 'gold' });
      },
    },
    walk: logIn,
    verdict: 'same',
  },
  // The profile.
  { name: '`skipUserProfile: true`', given: { options: { skipUserProfile: true } }, walk: logIn, verdict: 'same' },
  {
    name: '`skipUserProfile` as a function',
    given: { options: { skipUserProfile: () => true } },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`skipUserProfile` as a function with a callback',
    given: {
      options: {
        skipUserProfile: (_token: string, done: (error: unknown, skip: boolean) => void) => {
          setImmediate(() => done(null, true));
        },
      },
    },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: '`skipUserProfile` as a function that throws',
    given: {
      options: {
        skipUserProfile: () => {
          throw new Error('no answer');
        },
      },
    },
    walk: logIn,
    breaks: 'the exception ends the process',
    verdict: 'better',
    why: 'The error handler gets the error.',
  },
  {
    name: "A subclass's `userProfile()`",
    given: {
      extend: (Base) =>
        class extends Base {
          override userProfile(_token: string, done: (error?: unknown, profile?: object) => void): void {
            setImmediate(() => done(null, { mine: true }));
          }
        },
      verify: () => (_token: string, _refresh: string, profile: object, done: Done) => {
        done(null, { id: JSON.stringify(profile) });
      },
    },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: "A subclass's `tokenParams()`",
    given: {
      extend: (Base) =>
        class extends Base {
          override tokenParams(): object {
            return { device: 'kiosk' };
          }
        },
    },
    walk: async (side) => {
      await side.logIn();
      const sent = side.emulator.requests.filter(({ path }) => path === '/services/oauth2/token').at(-1)!;
      return `device ${String(sent.body?.['device'])}`;
    },
    verdict: 'same',
  },
  // Verify.
  {
    name: 'verify with 4 parameters',
    given: {
      verify: (seen) => (token: string, refresh: string, profile: object, done: Done) => {
        kinds(seen, [token, refresh, profile, done]);
        done(null, { id: 'known' });
      },
    },
    walk: thenSeen,
    verdict: 'same',
  },
  {
    name: 'verify with 5 parameters',
    given: {
      verify: (seen) => (token: string, refresh: string, params: object, profile: object, done: Done) => {
        kinds(seen, [token, refresh, params, profile, done]);
        done(null, { id: 'known' });
      },
    },
    walk: thenSeen,
    verdict: 'same',
  },
  {
    name: '`passReqToCallback`, verify with 5 parameters',
    given: {
      options: { passReqToCallback: true },
      verify: (seen) => (req: Request, token: string, refresh: string, profile: object, done: Done) => {
        kinds(seen, [req.path.slice(-9), token, refresh, profile, done]);
        done(null, { id: 'known' });
      },
    },
    walk: thenSeen,
    verdict: 'same',
  },
  {
    name: '`passReqToCallback`, verify with 6 parameters',
    given: {
      options: { passReqToCallback: true },
      verify: (seen) => (req: Request, token: string, refresh: string, params: object, profile: object, done: Done) => {
        kinds(seen, [req.path.slice(-9), token, refresh, params, profile, done]);
        done(null, { id: 'known' });
      },
    },
    walk: thenSeen,
    verdict: 'same',
  },
  {
    name: 'verify says false, with a message',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, done: Done) => {
        done(null, false, { message: 'Not on the list' });
      },
      callback: { failureRedirect: '/failed', failureMessage: true },
    },
    walk: async (side) => {
      await side.logIn();
      return side.get('/failed');
    },
    verdict: 'same',
  },
  {
    name: 'verify answers with an error',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, done: Done) => done(new Error('no database')),
    },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: 'verify throws',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, _done: Done) => {
        throw new Error('no database');
      },
    },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: 'verify throws undefined',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, _done: Done) => {
        throw undefined as unknown as Error;
      },
    },
    walk: logIn,
    verdict: 'better',
    why: 'Express takes `next(undefined)` for success.',
  },
  {
    name: 'verify rejects',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, _done: Done) =>
        Promise.reject(new Error('no database')),
    },
    walk: logIn,
    breaks: 'the rejected promise ends the process',
    verdict: 'better',
    why: 'The error handler gets the error.',
  },
  {
    name: 'verify rejects with undefined',
    given: {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
      verify: () => (_token: string, _refresh: string, _profile: object, _done: Done) => Promise.reject(),
    },
    walk: logIn,
    breaks: 'the rejected promise ends the process',
    verdict: 'better',
    why: 'The error handler gets an error.',
  },
  {
    name: 'verify answers twice',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, done: Done) => {
        done(null, { id: 'first' });
        done(null, { id: 'second' });
      },
    },
    walk: logIn,
    verdict: 'better',
    why: 'The first answer counts, and the operator is told of the second.',
  },
  {
    name: 'verify throws after its answer',
    given: {
      verify: () => (_token: string, _refresh: string, _profile: object, done: Done) => {
        done(null, { id: 'first' });
        throw new Error('too late');
      },
    },
    walk: logIn,
    verdict: 'better',
    why: 'The first answer counts, and the operator is told of the error.',
  },
  // The application's own code, and the way the strategy is handed over.
  {
    name: 'A custom callback that throws, at `GET /callback?error=x` of anybody',
    given: {
      custom: () => () => {
        throw new Error('of the application');
      },
    },
    walk: (side) => side.open(`/${side.name}/callback?error=x`),
    verdict: 'same',
  },
  {
    name: 'A custom callback that throws after a login',
    given: {
      custom: () => () => {
        throw new Error('of the application');
      },
    },
    walk: logIn,
    breaks: 'the exception ends the process',
    verdict: 'better',
    why: 'The error handler gets the error.',
  },
  {
    name: 'The strategy itself handed to `authenticate()`',
    given: { target: (_name, strategy) => strategy },
    walk: logIn,
    verdict: 'same',
  },
  {
    name: 'The same, with two requests whose verify functions answer in the other order',
    given: {
      target: (_name, strategy) => strategy,
      verify: () => {
        const waiting: (() => void)[] = [];
        return (_token: string, _refresh: string, _profile: object, done: Done) => {
          waiting.push(() => done(null, { id: 'known' }));
          if (waiting.length === 2) waiting.reverse().forEach((answer) => answer());
        };
      },
    },
    walk: async (side) => {
      const [first, second] = [side, side.another()];
      const callbacks = [await first.walk(), await second.walk()];
      const answers = [
        first.open(callbacks[0]!, { 'x-visit': 'first' }),
        second.open(callbacks[1]!, { 'x-visit': 'second' }),
      ];
      // One of them may hang.
      for (const answer of answers) answer.catch(() => undefined);
      await until(() => side.seen.length === 2);
      return `answered: ${side.seen.toSorted().join(', ')}`;
    },
    breaks: 'one request hangs',
    verdict: 'better',
    why: 'Each request gets its own answer.',
  },
  {
    name: '`_oauth2` borrowed by passport-oauth2-refresh',
    given: {
      verify: (seen) => (_token: string, refresh: string, _profile: object, done: Done) => {
        seen.push(refresh);
        done(null, { id: 'known' });
      },
    },
    walk: async (side) => {
      await side.logIn();
      const refresh = new AuthTokenRefresh();
      refresh.use('borrowed', side.strategy);
      return new Promise((resolve) => {
        refresh.requestNewAccessToken('borrowed', side.seen[0]!, (error, token) => {
          resolve(error ? `error: ${error.message}` : `a token of ${typeof token}`);
        });
      });
    },
    verdict: 'same',
  },
  {
    name: '`_oauth2` borrowed, and a refresh token that is over',
    walk: (side) => {
      const refresh = new AuthTokenRefresh();
      refresh.use('borrowed', side.strategy);
      return new Promise((resolve) => {
        refresh.requestNewAccessToken('borrowed', '5Aep861_of_nobody', (error) => {
          resolve(error instanceof Error ? 'an Error' : 'an object that is no Error');
        });
      });
    },
    verdict: 'better',
    why: 'It is an error of this package, with a `code`.',
  },
];

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

const seen = new Map<string, string[]>();
let emulator: Emulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});

describe('SalesforceStrategy beside passport-oauth2', () => {
  it.each(rows)('$name: $verdict', async ({ name, given = {}, walk, verdict, why, breaks }) => {
    const shown: string[] = [];
    for (const side of sides) {
      if (breaks !== undefined && side === 'passport-oauth2') {
        shown.push(`not walked: ${breaks}`);
        continue;
      }
      const both = await startBoth(emulator, given, side);
      closers.push(both.close);
      shown.push(await walk(both.browser()));
    }
    seen.set(name, shown);

    const [plain, ours] = shown;
    if (verdict === 'same') expect(ours).toBe(plain);
    else expect(ours).not.toBe(plain);
    expect(why === undefined).toBe(verdict === 'same');
  });
});

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

it('stands in docs/strategy.md as it was seen', () => {
  const path = join(__dirname, '../../docs/strategy.md');
  const [start, end] = ['<!-- table -->\n\n', '\n\n<!-- end of table -->'];
  const text = readFileSync(path, 'utf8');
  const before = text.slice(0, text.indexOf(start) + start.length);
  const whole = before + printed() + text.slice(text.indexOf(end));
  if (process.env['UPDATE_STRATEGY_TABLE'] === '1') writeFileSync(path, whole);

  expect(readFileSync(path, 'utf8')).toBe(whole);
});

/** The table of what was seen. */
function printed(): string {
  const cell = (text = ''): string => text.replaceAll('|', '\\|');
  const lines = rows.map(({ name, verdict, why }) => {
    const [plain, ours] = seen.get(name) ?? [];
    const shown = verdict === 'same' ? cell(plain) : `${cell(plain)} | ${cell(ours)}`;
    return `| ${name} | ${verdict === 'same' ? `${shown} | ${shown}` : shown} | ${verdict} | ${why ?? ''} |`;
  });
  return [
    '| Behavior | passport-oauth2 | SalesforceStrategy | Verdict | Why |',
    `|${' --- |'.repeat(5)}`,
    ...lines,
  ].join('\n');
}
