import type { Server } from 'node:http';
import express5, { type Express, type Request } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import request from 'supertest';
import { requireSalesforce, salesforceAuth, type ErrorPage } from '../../lib';
import { startApp, walkToCallback, type ExpressMajor } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

/*
 * Functions of the application that fail. The application gets an error, and never `next(undefined)`, which Express takes for
 * success; the operator hears of it. Jest fails a test that leaves a rejected promise to nobody.
 */

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
const own = new RangeError('__test_own_words__');

const failures: Record<string, () => unknown> = {
  throws: () => {
    throw own;
  },
  'throws undefined': () => {
    throw undefined as unknown as Error;
  },
  rejects: () => Promise.reject(own),
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
  'rejects with undefined': () => Promise.reject(),
};

const noObject = { code: 'ERR_SALESFORCE_CONFIGURATION', message: expect.stringContaining('gave no error object') };
const failed = { code: 'ERR_SALESFORCE_CONFIGURATION', status: 503 };
const promised = (option: string): object => ({
  code: 'ERR_SALESFORCE_OPTION_INVALID',
  message: expect.stringMatching(new RegExp(`^${option} must be a function that answers at once`)),
});
const gives = (option: string, what: string): object => ({
  code: 'ERR_SALESFORCE_OPTION_INVALID',
  message: expect.stringMatching(new RegExp(`^${option} must be .*${what}`)),
});

/** What the error handler gets, by option and failure. */
const expected: Record<string, Record<string, object>> = {
  configuration: { throws: failed, 'throws undefined': failed, rejects: failed, 'rejects with undefined': failed },
  authorizeUser: { throws: own, 'throws undefined': noObject, rejects: own, 'rejects with undefined': noObject },
  onLogin: { throws: own, 'throws undefined': noObject, rejects: own, 'rejects with undefined': noObject },
  tenant: {
    ...{ throws: own, 'throws undefined': noObject },
    ...{ rejects: promised('tenant'), 'rejects with undefined': promised('tenant') },
  },
  publicUrl: {
    ...{ throws: own, 'throws undefined': noObject },
    ...{ rejects: promised('publicUrl'), 'rejects with undefined': promised('publicUrl') },
  },
};

const garbage: [option: string, value: unknown, error: object][] = [
  ['configuration', undefined, gives('configuration', 'it gave undefined')],
  ['configuration', null, gives('configuration', 'object with clientID')],
  ['configuration', '3MVG9', gives('configuration', 'it gave string')],
  ['configuration', {}, { code: 'ERR_SALESFORCE_OPTION_INVALID' }],
  ['authorizeUser', undefined, gives('authorizeUser', 'it gave undefined')],
  ['authorizeUser', { isAllowed: false }, gives('authorizeUser', 'it gave object')],
  ['authorizeUser', 'no', gives('authorizeUser', 'it gave string')],
  ['tenant', 7, gives('tenant', 'it gave number')],
  ['tenant', null, gives('tenant', 'it gave object')],
  ['tenant', {}, gives('tenant', 'it gave object')],
  ['publicUrl', 7, gives('publicUrl', 'address of the application')],
  ['publicUrl', null, gives('publicUrl', 'address of the application')],
  ['publicUrl', 'app.example.com', gives('publicUrl', 'address of the application')],
];

const cases = ([4, 5] as ExpressMajor[]).flatMap((express) => [
  ...Object.entries(expected).flatMap(([option, errors]) =>
    Object.entries(errors).map(([what, error]) => ({ express, option, what, error, value: failures[what]! })),
  ),
  ...garbage.map(([option, given, error]) => {
    return { express, option, what: `gives ${JSON.stringify(given)}`, error, value: () => given };
  }),
]);

describe('a function of the application that fails', () => {
  it.each(cases)('Express $express: $option $what', async ({ express, option, error, value }) => {
    const emulator = await startTestEmulator();
    let isBroken = false;
    const { browser, errors, warnings } = await startApp({
      emulator,
      express,
      create: ({ clientID, clientSecret }, callbackURL) => {
        const secret = clientSecret;
        const client = { clientID, clientSecret: secret, callbackURL, baseUrl: emulator.url, scope: 'id api' };
        const good: Record<string, unknown> = { configuration: () => client, authorizeUser: () => true };
        const breakable = { [option]: () => (isBroken ? value() : (good[option] as undefined | (() => unknown))?.()) };
        return salesforceAuth({
          ...{ configuration: () => client, report: (warning) => void warnings.push(warning) },
          ...breakable,
        });
      },
    });
    const tab = browser();
    const isAtCallback = option === 'authorizeUser' || option === 'onLogin';
    const path = isAtCallback ? await walkToCallback(tab, emulator) : '/auth/salesforce';
    warnings.splice(0);
    isBroken = true;

    const answer = await tab.get(path);

    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(errors).toEqual([error === own ? own : expect.objectContaining(error)]);
    const code = error === own ? 'APPLICATION_CODE' : (error as { code: string }).code;
    expect(warnings.map((warning) => warning.code)).toEqual([code]);
    expect(warnings[0]!.message).not.toContain(own.message);
    // A guard is not opened by it either.
    expect((await tab.get('/me')).status).not.toBe(200);
    isBroken = false;
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it.each(
    ([4, 5] as ExpressMajor[]).flatMap((express) =>
      Object.entries(failures).map(([what, value]) => ({ express, what, value })),
    ),
  )('Express $express: report $what', async ({ express, value }) => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator, express, options: { report: value as never } });

    const answer = await browser().get('/auth/salesforce/callback?code=x&state=y');

    expect(answer.status).toBe(403);
    expect(errors).toHaveLength(1);
    expect((await browser().get('/')).status).toBe(200);
  });
});

describe.each([4, 5] as const)('an error page of the application that fails, on Express %d', (major) => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it.each<[string, unknown, object]>([
    ...Object.entries(failures).map(
      ([what, value]) => [what, value, what.includes('undefined') ? noObject : own] as [string, unknown, object],
    ),
    ['gives a text and sends nothing', () => '<h1>Sorry</h1>', gives('pages.error', 'res')],
    ['promises a text and sends nothing', () => Promise.resolve('<h1>Sorry</h1>'), gives('pages.error', 'res')],
  ])('%s', async (_what, errorPage, error) => {
    const app = (major === 4 ? express4() : express5()) as Express;
    const warnings: string[] = [];
    const errors: unknown[] = [];
    app.use(expressSession({ secret: '__test__', resave: false, saveUninitialized: false }) as never);
    const salesforce = salesforceAuth({
      ...{ clientID: '__test_client_id__', pages: { error: errorPage as never }, allowedOrganizations: 'any' },
      report: ({ code }) => void warnings.push(code),
    });
    app.use(salesforce);
    app.get('/guarded', requireSalesforce(), (_req, res) => void res.send('passed'));
    const page = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' };
    // Behind the error page of the package, as a monitor of errors is.
    await request(app).get('/');
    app.use(((
      problem: unknown,
      _req: Request,
      res: { status: (code: number) => { end: () => void } },
      _next: unknown,
    ) => {
      errors.push(problem);
      res.status(500).end();
    }) as never);

    const answer = await request(app).get('/auth/salesforce/callback?code=x&state=y').set(page);

    expect(answer.status).toBe(500);
    expect(errors).toEqual([error === own ? own : expect.objectContaining(error)]);
    expect(warnings).toEqual(expect.arrayContaining(['ERR_SALESFORCE_STATE_MISMATCH']));
    expect(warnings).toHaveLength(2);
    expect((await request(app).get('/guarded')).status).toBe(401);
    await salesforce.close();
  });
});

describe.each([4, 5] as const)('an error page of the application that sends nothing, on Express %d', (major) => {
  /** Asks for a page that fails, and lets time pass once the function of the application was called. */
  async function answerOf(errorPage: ErrorPage, afterMs: number) {
    const app = (major === 4 ? express4() : express5()) as Express;
    const clock = new ManualClock();
    const warnings: string[] = [];
    let called!: () => void;
    const isCalled = new Promise<void>((resolve) => (called = resolve));
    const salesforce = salesforceAuth({
      ...{ clientID: '__test_client_id__', allowedOrganizations: 'any', clock },
      pages: {
        error: (...given) => {
          called();
          return errorPage(...given);
        },
      },
      report: ({ code }) => void warnings.push(code),
    });
    app.use(expressSession({ secret: '__test__', resave: false, saveUninitialized: false }) as never);
    app.use(salesforce);
    const page = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'none' };
    const answer = request(app).get('/auth/salesforce/callback?code=x&state=y').set(page);
    const answered = answer.then((response) => response);
    await isCalled;
    await turn();
    clock.advanceMs(afterMs - 1);
    await turn();
    const isEarly = warnings.includes('ERROR_PAGE');
    clock.advanceMs(1);
    const response = await answered;
    // No timer is left behind.
    while (clock.pending > 0) await turn();
    await salesforce.close();
    return { response, warnings, isEarly };
  }

  it.each<[string, ErrorPage, number]>([
    ['30 seconds after the call', () => undefined, 30_000],
    ['30 seconds after the call, with a promise that is never settled', () => new Promise(() => undefined), 30_000],
    ['5 seconds after its promise was fulfilled', () => Promise.resolve(), 5_000],
  ])('is replaced by the page of the package %s', async (_what, errorPage, afterMs) => {
    const { response, warnings, isEarly } = await answerOf(errorPage, afterMs);

    expect(response.status).toBe(403);
    expect(response.text).toContain('ERR_SALESFORCE_STATE_MISMATCH');
    expect(response.text).toContain('>Log in again</a>');
    expect(warnings).toEqual(['ERR_SALESFORCE_STATE_MISMATCH', 'ERROR_PAGE']);
    expect(isEarly).toBe(false);
  });

  it.each<[string, ErrorPage]>([
    ['in a callback, later', (_details, _req, res) => void setImmediate(() => res.send('mine'))],
    [
      'after its promise',
      (_details, _req, res) => {
        setImmediate(() => res.send('mine'));
        return Promise.resolve();
      },
    ],
    [
      'and then throws',
      (_details, _req, res) => {
        res.send('mine');
        throw own;
      },
    ],
  ])('is left alone if it sends its page %s', async (_what, errorPage) => {
    const { response, warnings } = await answerOf(errorPage, 1);

    expect([response.status, response.text]).toEqual([403, 'mine']);
    expect(warnings).not.toContain('ERROR_PAGE');
  });
});

describe('a page about a publicUrl that fails', () => {
  it('is shown all the same, without links', async () => {
    const app = express5();
    app.use(expressSession({ secret: '__test__', resave: false, saveUninitialized: false }));
    const publicUrl = (): string => 'not an address';
    const salesforce = salesforceAuth({ clientID: '__test_client_id__', publicUrl, report: false });
    app.use(salesforce);

    const answer = await request(app)
      .get('/auth/salesforce')
      .set({ Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' });

    expect([answer.status, answer.type]).toEqual([500, 'text/html']);
    expect(answer.text).toContain('ERR_SALESFORCE_OPTION_INVALID');
    await salesforce.close();
  });
});
