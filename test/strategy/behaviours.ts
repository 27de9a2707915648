/* eslint-disable @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument, @typescript-eslint/require-await -- Passport's types know one version, and rows are short */
import { AuthTokenRefresh } from 'passport-oauth2-refresh';
import { begun, logIn, seen, walk, type Loose, type Mounted, type Setup } from './side-by-side';

/** What a row shows: how the two compare, and why if they differ. */
export interface Behaviour {
  name: string;
  setup?: Setup;
  /** Does it with one of the two, and says in one line what came of it. */
  see: (mounted: Mounted) => Promise<string>;
  verdict: 'same' | 'better' | 'different on purpose';
  why?: string;
}

type Judged = Pick<Behaviour, 'verdict' | 'why'>;
const same: Judged = { verdict: 'same' };
const better = (why: string): Judged => ({ verdict: 'better', why });
const different = (why: string): Judged => ({ verdict: 'different on purpose', why });

const codes = 'The error says its cause by a stable code and a status.';
const noSecondLogin = 'state without a code belongs to a callback that went wrong; it begins no second login.';
const wordsForUsers = "The sentence is made for users; Salesforce's own text is in the error.";

const parameter =
  (...names: string[]) =>
  async (mounted: Mounted): Promise<string> => {
    const params = await begun(mounted, mounted.browser());
    return names
      .map((name) => `${name}=${params.get(name)?.replace(/^http:\/\/localhost:\d+\/\w+-\d+/, '') ?? ''}`)
      .join(' ');
  };
const callback =
  (query: string) =>
  async ({ path, browser }: Mounted): Promise<string> =>
    seen(await browser().get(`${path}/callback?${query}`));
const allowed = (mounted: Mounted): Promise<string> => logIn(mounted);
const denied = (mounted: Mounted): Promise<string> => logIn(mounted, 'deny');
const wrongState = async (mounted: Mounted): Promise<string> => {
  const browser = mounted.browser();
  const url = await walk(mounted, browser);
  return seen(await browser.get(url.replace(/state=[^&]*/, 'state=other')));
};
const replayed = async (mounted: Mounted): Promise<string> => {
  const browser = mounted.browser();
  const url = await walk(mounted, browser);
  await browser.get(url);
  return seen(await browser.get(url));
};
/** A next strategy of the array that says it got its turn. */
const nextInTurn: Setup['target'] = ({ name }) => [
  name,
  {
    authenticate: function (this: Loose) {
      this.success({ id: 'next' });
    },
  },
];
const show: Setup['custom'] =
  ({ res }) =>
  (error: Loose, user: Loose, info: Loose, status: Loose) =>
    void res.json({ error: error?.name, user, info, status });
const errorsAt =
  (on: 'code', fault: Loose) =>
  async (mounted: Mounted): Promise<string> => {
    mounted.emulator.faults.inject({ on, ...fault });
    return logIn(mounted);
  };

/** The tokens and the profile that a verify function got. */
const got = (...given: unknown[]): object => {
  const [accessToken, refreshToken] = given;
  const at = given.findIndex((value) => typeof value === 'string');
  const texts = given.slice(at, at + 2).filter((value) => typeof value === 'string').length;
  return { parameters: given.length, tokens: texts, ...(accessToken === refreshToken ? { odd: true } : {}) };
};

/** Verify functions that have not answered yet. */
const waiting: Loose[] = [];

/** Opens a callback, and waits until verify is asked. */
async function openAndWait(mounted: Mounted) {
  const browser = mounted.browser();
  const { length } = waiting;
  const opened = browser.get(await walk(mounted, browser));
  const answer = opened.then((response) => response);
  while (waiting.length === length) await new Promise((resolve) => setImmediate(resolve));
  const seenSoon = async (): Promise<string> => {
    // Requests that come later are answered by then.
    const others = async (): Promise<string> => {
      for (let count = 0; count < 10; count++) await mounted.browser().get('/who');
      return 'no answer';
    };
    const result = await Promise.race([answer.then(seen), others()]);
    if (result === 'no answer') opened.abort();
    return result;
  };
  answer.catch(() => undefined);
  return { answer, seenSoon };
}

/** The callback of a login that began, with another query beside its state. */
const callbackOfLogin =
  (query: string) =>
  async (mounted: Mounted): Promise<string> => {
    const browser = mounted.browser();
    const state = (await begun(mounted, browser)).get('state')!;
    return seen(await browser.get(`${mounted.path}/callback?state=${state}${query}`));
  };

const beginnings: Behaviour[] = [
  {
    name: 'the name of the strategy',
    see: async ({ strategy }) => strategy.name,
    ...different('The name is that of the service.'),
  },
  { name: 'response_type', see: parameter('response_type'), ...same },
  { name: 'redirect_uri of a path', see: parameter('redirect_uri'), ...same },
  { name: 'PKCE', see: parameter('code_challenge_method'), ...same },
  {
    name: 'prompt, if nothing is said',
    see: parameter('prompt'),
    ...different('Salesforce is asked to show the login page.'),
  },
  { name: 'scope as text', see: parameter('scope'), ...same },
  { name: 'scope as an array', setup: { options: { scope: ['id', 'api'] } }, see: parameter('scope'), ...same },
  { name: 'scope of a call', setup: { login: { scope: ['api'] } }, see: parameter('scope'), ...same },
  {
    name: 'callbackURL of a call',
    setup: { login: { callbackURL: 'other' }, options: {} },
    see: async (mounted) => {
      const browser = mounted.browser();
      const { status, headers, body } = await browser.get(`${mounted.path}/login`);
      return status === 302
        ? `redirect_uri=${new URL(headers['location']!).searchParams.get('redirect_uri')!.replace(/.*\//, '…/')}`
        : `${status} ${body.code}`;
    },
    ...different('A relative URL without a slash is refused: what it means would depend on the page it is sent from.'),
  },
  {
    name: 'prompt of a call',
    setup: { login: { prompt: 'consent' } },
    see: parameter('prompt'),
    ...better('The parameter reaches Salesforce.'),
  },
  {
    name: 'login_hint of a call',
    setup: { login: { login_hint: 'a@example.com' } },
    see: parameter('login_hint'),
    ...better('The parameter reaches Salesforce.'),
  },
  {
    name: 'state of a call, as text',
    setup: { login: { state: 'page' } },
    see: async (mounted) => {
      return `on the wire: ${(await begun(mounted, mounted.browser())).get('state') === 'page' ? 'the text' : 'random'}; then ${await logIn(mounted)}`;
    },
    ...better('The state on the wire stays random, and the text comes back as info.state.'),
  },
  { name: 'state of a call, as an object', setup: { login: { state: { page: 1 } } }, see: allowed, ...same },
  {
    name: 'an unknown option of a call',
    setup: { login: { promt: 'login' } },
    see: async ({ path, browser }) => {
      const { status, body } = await browser().get(`${path}/login`);
      return `${status} ${body.code ?? ''}`.trim();
    },
    ...different('A misspelt option is an error, as in the constructor.'),
  },
  {
    name: 'baseUrl of a call that is not trusted',
    setup: { login: { baseUrl: 'https://acme.example.com' } },
    see: async ({ path, browser }) => {
      const { status, body } = await browser().get(`${path}/login`);
      return `${status} ${body.code ?? ''}`.trim();
    },
    ...different('passport-oauth2 has no such option.'),
  },
  {
    name: 'authorizationParams() of a subclass',
    setup: {
      extend: (Base) =>
        class extends Base {
          authorizationParams() {
            return { display: 'touch' };
          }
        },
    },
    see: parameter('display'),
    ...same,
  },
  {
    name: 'authorizationParams() of a subclass gets the options of the call',
    setup: {
      login: { mine: 'touch' },
      extend: (Base) =>
        class extends Base {
          authorizationParams({ mine }: Loose) {
            return { display: mine };
          }
        },
    },
    see: parameter('display'),
    ...same,
  },
  {
    name: 'authorizationParams() of a subclass that throws',
    setup: {
      extend: (Base) =>
        class extends Base {
          authorizationParams() {
            throw new RangeError('no');
          }
        },
    },
    see: async ({ path, browser }) => seen(await browser().get(`${path}/login`)),
    ...same,
  },
  {
    name: 'a query parameter state at the login route',
    see: async ({ path, browser }) => String((await browser().get(`${path}/login?state=x`)).status),
    ...different(noSecondLogin),
  },
];

const endings: Behaviour[] = [
  { name: 'a login', see: allowed, ...same },
  { name: 'successRedirect', setup: { callback: { successRedirect: '/home' } }, see: allowed, ...same },
  {
    name: 'successReturnToOrRedirect',
    setup: { callback: { successReturnToOrRedirect: '/home' } },
    see: allowed,
    ...same,
  },
  {
    name: 'successMessage',
    setup: {
      callback: { successMessage: 'Welcome' },
      verify: (_a: never, _r: never, _p: never, done: Loose) => done(null, { id: 1 }),
    },
    see: allowed,
    ...same,
  },
  { name: 'assignProperty', setup: { callback: { assignProperty: 'account' } }, see: allowed, ...same },
  { name: 'authInfo: false', setup: { callback: { authInfo: false } }, see: allowed, ...same },
  {
    name: 'session: false',
    setup: { callback: { session: false } },
    see: async (mounted) => {
      const browser = mounted.browser();
      const answer = seen(await browser.get(await walk(mounted, browser)));
      return `${answer}; then ${(await browser.get('/who')).text}`;
    },
    ...same,
  },
  {
    name: 'the user of the next request',
    see: async (mounted) => {
      const browser = mounted.browser();
      await browser.get(await walk(mounted, browser));
      return (await browser.get('/who')).text;
    },
    ...same,
  },
  {
    name: 'info of verify',
    setup: { verify: (_a: never, _r: never, _p: never, done: Loose) => done(null, { id: 1 }, { message: 'hello' }) },
    see: allowed,
    ...same,
  },
  { name: 'a custom callback after a login', setup: { custom: show }, see: allowed, ...same },
  {
    name: 'verify with 4 parameters',
    setup: { verify: (a: Loose, r: Loose, p: Loose, done: Loose) => done(null, got(a, r, p, done)) },
    see: allowed,
    ...same,
  },
  {
    name: 'verify with 5 parameters',
    setup: {
      verify: (a: Loose, r: Loose, params: Loose, p: Loose, done: Loose) =>
        done(null, { ...got(a, r, params, p, done), params: typeof params.instance_url }),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'passReqToCallback with 5 parameters',
    setup: {
      options: { passReqToCallback: true },
      verify: (req: Loose, a: Loose, r: Loose, p: Loose, done: Loose) =>
        done(null, { method: req.method, ...got(a, r, p, done) }),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'passReqToCallback with 6 parameters',
    setup: {
      options: { passReqToCallback: true },
      verify: (req: Loose, a: Loose, r: Loose, params: Loose, p: Loose, done: Loose) =>
        done(null, { method: req.method, ...got(a, r, params, p, done), params: typeof params.id }),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'the profile',
    setup: {
      verify: (_a: never, _r: never, p: Loose, done: Loose) =>
        done(null, { profile: Object.keys(p).includes('username') }),
    },
    see: allowed,
    ...better("It is Salesforce's, and proven to be the user's."),
  },
  ...[
    ['true', true],
    ['a function that says true', () => true],
    ['an async function with a callback that says true', (_token: string, done: Loose) => done(null, true)],
  ].map(([name, skipUserProfile]): Behaviour => ({
    name: `skipUserProfile: ${String(name)}`,
    setup: {
      options: { skipUserProfile },
      verify: (_a: never, _r: never, p: Loose, done: Loose) => done(null, { profile: typeof p }),
    },
    see: allowed,
    ...same,
  })),
  {
    name: 'skipUserProfile: a function that says false',
    setup: {
      options: { skipUserProfile: () => false },
      verify: (_a: never, _r: never, p: Loose, done: Loose) => done(null, { profile: typeof p }),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'skipUserProfile: a function that promises false',
    setup: {
      options: { skipUserProfile: async () => false },
      verify: (_a: never, _r: never, p: Loose, done: Loose) => done(null, { profile: typeof p }),
    },
    see: allowed,
    ...better('The promise is waited for.'),
  },
  {
    name: 'skipUserProfile: a function with a callback that fails',
    setup: { options: { skipUserProfile: (_token: string, done: Loose) => done(new RangeError('no')) } },
    see: allowed,
    ...same,
  },
  {
    name: 'userProfile() of a subclass',
    setup: {
      extend: (Base) =>
        class extends Base {
          userProfile(_token: string, done: Loose) {
            done(null, { mine: 1 });
          }
        },
      verify: (_a: never, _r: never, p: Loose, done: Loose) => done(null, p),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'userProfile() of a subclass that fails',
    setup: {
      extend: (Base) =>
        class extends Base {
          userProfile(_token: string, done: Loose) {
            done(new RangeError('no'));
          }
        },
    },
    see: allowed,
    ...same,
  },
  {
    name: 'tokenParams() of a subclass',
    setup: {
      extend: (Base) =>
        class extends Base {
          tokenParams() {
            return { format: 'json' };
          }
        },
    },
    see: async (mounted) => {
      await logIn(mounted);
      const request = mounted.emulator.requests.findLast(({ path }) => path.endsWith('/token')) as Loose;
      return `format=${request.params?.format ?? request.body?.format ?? new URLSearchParams(request.body).get('format')}`;
    },
    ...same,
  },
  {
    name: 'tokenParams() of a subclass that throws',
    setup: {
      extend: (Base) =>
        class extends Base {
          tokenParams() {
            throw new RangeError('no');
          }
        },
    },
    see: allowed,
    ...same,
  },
  {
    name: 'two tabs that log in at once',
    see: async (mounted) => {
      const browser = mounted.browser();
      const [first, second] = [await walk(mounted, browser), await walk(mounted, browser)];
      return `${(await browser.get(first)).status}, ${(await browser.get(second)).status}`;
    },
    ...better('Each tab has a cookie of its own.'),
  },
  { name: 'the strategy as an instance', setup: { target: ({ strategy }) => strategy }, see: allowed, ...same },
  {
    name: 'the strategy as an instance, and two logins that verify answers in the other order',
    setup: {
      target: ({ strategy }) => strategy,
      verify: (_a: never, _r: never, _p: never, done: Loose) => waiting.push(done),
    },
    see: async (mounted) => {
      const [first, second] = [await openAndWait(mounted), await openAndWait(mounted)];
      const [firstDone, secondDone] = waiting.splice(0);
      secondDone!(null, { id: 2 });
      const answerOfSecond = seen(await second.answer);
      firstDone!(null, { id: 1 });
      return `${await first.seenSoon()}; ${answerOfSecond}`;
    },
    ...better('Each request gets its own answer.'),
  },
];

const failures: Behaviour[] = [
  {
    name: 'a user that verify refuses',
    setup: { verify: (_a: never, _r: never, _p: never, done: Loose) => done(null, false, { message: 'Not you' }) },
    see: allowed,
    ...same,
  },
  {
    name: 'a user that verify refuses, with failureMessage',
    setup: {
      callback: { failureMessage: true, failureRedirect: '/denied' },
      verify: (_a: never, _r: never, _p: never, done: Loose) => done(null, false, { message: 'Not you' }),
    },
    see: async (mounted) => {
      const browser = mounted.browser();
      const answer = seen(await browser.get(await walk(mounted, browser)));
      return `${answer}; then ${(await browser.get('/who')).text}`;
    },
    ...same,
  },
  {
    name: 'a user that verify refuses, in a custom callback',
    setup: {
      custom: show,
      verify: (_a: never, _r: never, _p: never, done: Loose) => done(null, false, { message: 'Not you' }),
    },
    see: allowed,
    ...same,
  },
  {
    name: 'verify that gives an error',
    setup: { verify: (_a: never, _r: never, _p: never, done: Loose) => done(new RangeError('no')) },
    see: allowed,
    ...same,
  },
  {
    name: 'verify that throws',
    setup: {
      verify: (_a: never, _r: never, _p: never, _done: Loose) => {
        throw new RangeError('no');
      },
    },
    see: allowed,
    ...same,
  },
  { name: 'a denial', see: denied, ...same },
  { name: 'a denial with failureRedirect', setup: { callback: { failureRedirect: '/denied' } }, see: denied, ...same },
  {
    name: 'a denial with failureFlash',
    setup: { callback: { failureFlash: 'No', failureRedirect: '/denied' } },
    see: async (mounted) => {
      const browser = mounted.browser();
      await browser.get(await walk(mounted, browser, 'deny'));
      return (await browser.get('/who')).text;
    },
    ...same,
  },
  { name: 'a denial with failWithError', setup: { callback: { failWithError: true } }, see: denied, ...same },
  {
    name: 'a denial with failureMessage: true',
    setup: { callback: { failureMessage: true, failureRedirect: '/denied' } },
    see: async (mounted) => {
      const browser = mounted.browser();
      await browser.get(await walk(mounted, browser, 'deny'));
      return (await browser.get('/who')).text;
    },
    ...different(wordsForUsers),
  },
  { name: 'a denial in a custom callback', setup: { custom: show }, see: denied, ...different(wordsForUsers) },
  { name: 'a denial, and a next strategy', setup: { target: nextInTurn, login: {} }, see: denied, ...same },
  {
    name: 'a denial without state',
    see: callback('error=access_denied'),
    ...different('An error that no login of this browser led to is not believed.'),
  },
  {
    name: 'another error without state',
    see: callback('error=server_error'),
    ...different('An error that no login of this browser led to is not believed.'),
  },
  {
    name: 'another error of a login that began',
    see: callbackOfLogin('&error=server_error'),
    ...better(codes),
  },
  {
    name: 'another error of a login that began, with failureRedirect',
    setup: { callback: { failureRedirect: '/denied' } },
    see: callbackOfLogin('&error=server_error'),
    ...better(codes),
  },
  {
    name: 'a callback with the state of a login and nothing else',
    see: async (mounted) => (await callbackOfLogin('')(mounted)).replace(/\?.*/, ''),
    ...different(noSecondLogin),
  },
  {
    name: 'a callback with a foreign state and nothing else',
    see: async (mounted) => (await callback('state=x')(mounted)).replace(/\?.*/, ''),
    ...different(noSecondLogin),
  },
  { name: 'a wrong state', see: wrongState, ...same },
  {
    name: 'a wrong state with failureRedirect',
    setup: { callback: { failureRedirect: '/denied' } },
    see: wrongState,
    ...same,
  },
  { name: 'a wrong state with failWithError', setup: { callback: { failWithError: true } }, see: wrongState, ...same },
  { name: 'a wrong state in a custom callback', setup: { custom: show }, see: wrongState, ...different(wordsForUsers) },
  { name: 'a wrong state, and a next strategy', setup: { target: nextInTurn }, see: wrongState, ...same },
  { name: 'a code without state', see: callback('code=x'), ...same },
  { name: 'the callback a second time', see: replayed, ...same },
  {
    name: 'the callback a second time with failureRedirect',
    setup: { callback: { failureRedirect: '/denied' } },
    see: replayed,
    ...same,
  },
  { name: 'the callback a second time, and a next strategy', setup: { target: nextInTurn }, see: replayed, ...same },
  {
    name: 'the callback in another browser',
    see: async (mounted) => seen(await mounted.browser().get(await walk(mounted, mounted.browser()))),
    ...same,
  },
  {
    name: 'the token endpoint refuses the code',
    see: async (mounted) => {
      const browser = mounted.browser();
      const url = await walk(mounted, browser);
      return seen(await browser.get(url.replace(/code=[^&]*/, 'code=wrong')));
    },
    ...better(codes),
  },
  { name: 'the token endpoint answers 500', see: errorsAt('code', { kind: 'status', status: 500 }), ...better(codes) },
  {
    name: 'the token endpoint answers 500, in a custom callback',
    setup: { custom: show },
    see: errorsAt('code', { kind: 'status', status: 500 }),
    ...better(codes),
  },
  {
    name: 'the reply is signed by another',
    see: errorsAt('code', { kind: 'reply', change: (reply: object) => ({ ...reply, signature: 'wrong' }) }),
    ...better('passport-oauth2 does not look at the signature.'),
  },
];

const borrowed: Behaviour[] = [
  {
    name: 'passport-oauth2-refresh',
    setup: { verify: (_a: never, refreshToken: Loose, _p: never, done: Loose) => done(null, { refreshToken }) },
    see: async (mounted) => {
      const browser = mounted.browser();
      const { body } = await browser.get(await walk(mounted, browser));
      const refresh = new AuthTokenRefresh();
      refresh.use('x', mounted.strategy);
      return new Promise((resolve) => {
        refresh.requestNewAccessToken(
          'x',
          body.user.refreshToken,
          (error: Loose, accessToken: Loose, refreshToken: Loose) => {
            resolve(
              error
                ? `error ${error.code}`
                : `a token of ${accessToken.slice(0, 3)}…, rotated: ${refreshToken !== body.user.refreshToken}`,
            );
          },
        );
      });
    },
    ...same,
  },
  {
    name: 'passport-oauth2-refresh with a wrong token',
    see: async ({ strategy }) => {
      const refresh = new AuthTokenRefresh();
      refresh.use('x', strategy);
      return new Promise((resolve) => {
        refresh.requestNewAccessToken('x', 'wrong', (error: Loose) =>
          resolve(error ? `error ${error.code ?? error.statusCode}` : 'no error'),
        );
      });
    },
    ...better(codes),
  },
  {
    name: '_oauth2.get() keeps the token out of the URL',
    setup: {
      verify: (accessToken: Loose, _r: never, { id }: Loose, _p: never, done: Loose) => done(null, { accessToken, id }),
    },
    see: async (mounted) => {
      const browser = mounted.browser();
      const { body } = await browser.get(await walk(mounted, browser));
      const { emulator, strategy } = mounted;
      return new Promise((resolve) => {
        strategy._oauth2.get(body.user.id, body.user.accessToken, (error: Loose) => {
          const { url, path, query } = (emulator.requests.at(-1) ?? {}) as Loose;
          const isInUrl = JSON.stringify([url, path, query]).includes('access_token');
          resolve(`${error ? 'refused' : 'answered'}, in the URL: ${isInUrl}`);
        });
      });
    },
    ...better('The token is in a header; URLs end up in logs.'),
  },
];

export const behaviours: readonly Behaviour[] = [...beginnings, ...endings, ...failures, ...borrowed];
