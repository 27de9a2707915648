import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Reporter, type OperatorWarning } from '../lib/reporter';
import { logIn, startApp, type ExpressMajor, type TestApp } from './helpers/app';
import { ManualClock } from './helpers/clock';
import { compileLibrary } from './helpers/compiled';
import { startTestEmulator } from './helpers/emulator';

const run = promisify(execFile);

describe('the reporter', () => {
  it('tells each cause once a minute, and how often it was left out', () => {
    const clock = new ManualClock();
    const told: OperatorWarning[] = [];
    const reporter = new Reporter((warning) => void told.push(warning), clock);

    for (let count = 0; count < 200; count++) reporter.warn('ONE', 'first');
    reporter.warn('TWO', 'another');
    clock.advanceMs(59_999);
    reporter.warn('ONE', 'second');
    clock.advanceMs(1);
    reporter.warn('ONE', 'third');
    clock.advanceMs(60_000);
    reporter.warn('ONE', 'fourth');

    expect(told).toEqual([
      { code: 'ONE', message: 'first', suppressed: 0 },
      { code: 'TWO', message: 'another', suppressed: 0 },
      { code: 'ONE', message: 'third', suppressed: 200 },
      { code: 'ONE', message: 'fourth', suppressed: 0 },
    ]);
  });

  it('counts by a monotonic clock', () => {
    const clock = new ManualClock();
    const told: OperatorWarning[] = [];
    const reporter = new Reporter((warning) => void told.push(warning), clock);

    reporter.warn('ONE', 'x');
    clock.jumpMs(-24 * 60 * 60_000);
    clock.advanceMs(60_000);
    reporter.warn('ONE', 'x');
    clock.jumpMs(24 * 60 * 60_000);
    reporter.warn('ONE', 'x');

    expect(told).toHaveLength(2);
  });

  it('survives a logger that throws', () => {
    const reporter = new Reporter(() => {
      throw new Error('The logger is down.');
    }, new ManualClock());

    expect(() => reporter.warn('ONE', 'x')).not.toThrow();
  });
});

describe('in a process of its own', () => {
  let library: ReturnType<typeof compileLibrary>;
  beforeAll(() => {
    library = compileLibrary();
  });
  afterAll(() => library.remove());

  const errorsOf = async (report: string, env: NodeJS.ProcessEnv): Promise<string> => {
    const program = `
      const { salesforceAuth } = require(${JSON.stringify(join(library.folder, 'index.js'))});
      const options = { clientID: '__test_client__', scope: 'api', allowedOrganizations: 'any' };
      salesforceAuth({ ...options, ${report} });
      salesforceAuth({ ...options, ${report} });`;
    return (await run(process.execPath, ['-e', program], { env: { ...library.env, ...env } })).stderr;
  };

  it.each([
    ['as it is', {}],
    ['with NODE_NO_WARNINGS=1', { NODE_NO_WARNINGS: '1' }],
    ['with DEBUG of something else', { DEBUG: 'express:*' }],
  ])('a warning is one line of the standard error stream, %s', async (_how, env) => {
    const lines = (await errorsOf('', env)).split('\n').filter((line) => line.startsWith('express-salesforce-auth:'));

    expect(lines).toEqual([expect.stringMatching(/^express-salesforce-auth: NO_REFRESH_TOKEN: The scope has no/)]);
  });

  it('`report: false` is silent', async () => {
    expect(await errorsOf('report: false', {})).toBe('');
  });
});

describe('an error page', () => {
  const mention = 'Shown in development only';

  /** The page of a login that Salesforce refuses, in an application without an error handler of its own. */
  async function pageOf(env: string, headers: Record<string, string> = {}): Promise<string> {
    const emulator = await startTestEmulator();
    const { app, browser } = await startApp({ emulator });
    app.set('env', env);
    // The error handler of the test application would answer first.
    const router = (app as unknown as { router: { stack: { handle: { length: number } }[] } }).router;
    router.stack = router.stack.filter(({ handle }) => handle.length !== 4);
    const answer = await browser()
      .get('/auth/salesforce/callback?code=x&state=forged')
      .set({ Accept: 'text/html', ...headers });
    expect([answer.status, answer.type]).toEqual([403, 'text/html']);
    return answer.text;
  }

  it('has the message for the operator in development', async () => {
    expect(await pageOf('development')).toContain(mention);
  });

  it.each([
    ['in production', 'production', {}],
    ['in a test', 'test', {}],
    ['through a proxy', 'development', { 'X-Forwarded-For': '127.0.0.1' }],
    ['through a proxy that tells the scheme', 'development', { 'X-Forwarded-Proto': 'https' }],
    ['through a proxy of the standard', 'development', { Forwarded: 'for=127.0.0.1' }],
  ])('has it not %s', async (_where, env, headers) => {
    expect(await pageOf(env, headers)).not.toContain(mention);
  });
});

describe.each<ExpressMajor>([4, 5])('forwarded headers on Express %d', (express) => {
  const start = async (trust?: unknown): Promise<TestApp> => {
    const started = await startApp({ emulator: await startTestEmulator(), express });
    if (trust !== undefined) started.app.set('trust proxy', trust);
    return started;
  };
  const toldBy = ({ warnings }: TestApp): string[] =>
    warnings.flatMap(({ code, message }) => (code === 'TRUST_PROXY' ? [message] : []));

  it.each([
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'app.example.com'],
  ])('are reported once if the sender is not trusted: %s', async (header, value) => {
    const started = await start();

    await started.browser().get('/');
    expect(toldBy(started)).toEqual([]);
    for (let round = 0; round < 3; round++) await started.browser().get('/').set(header, value);

    expect(toldBy(started)).toEqual([expect.stringContaining(`the header ${header}`)]);
    expect(toldBy(started)[0]).toContain("app.set('trust proxy', 1)");
  });

  it.each([
    ['the proxy is trusted', 1, 0],
    ['this machine is trusted', 'loopback', 0],
    ['another address is trusted', '10.0.0.1', 1],
  ])('if %s: %j', async (_who, trust, count) => {
    const started = await start(trust);

    await started.browser().get('/').set('X-Forwarded-Proto', 'https');

    expect(toldBy(started)).toHaveLength(count);
  });

  it('are told of whatever a visitor sends, without what was sent', async () => {
    const started = await start();

    await started.browser().get('/').set('X-Forwarded-Host', 'evil.example');

    expect(toldBy(started).join()).not.toContain('evil.example');
  });
});

describe('an ID token that is refused', () => {
  /** Changes a part of a token, which the signature then does not fit any more. */
  const changed = (part: 0 | 1, change: Record<string, unknown>) => (token: string) => {
    const parts = token.split('.');
    const old = JSON.parse(Buffer.from(parts[part]!, 'base64url').toString()) as object;
    parts[part] = Buffer.from(JSON.stringify({ ...old, ...change })).toString('base64url');
    return parts.join('.');
  };

  it.each<[string, (token: string) => unknown, RegExp]>([
    ['is for another app', changed(1, { aud: 'another' }), /"aud" \(audience\) claim value/],
    ['has another nonce', changed(1, { nonce: 'another' }), /"nonce" claim value/],
    ['has ended', changed(1, { exp: 1 }), /"exp" \(expiration time\) claim value, expiration is past/],
    ['has another issuer', changed(1, { iss: 'https://evil.example' }), /its issuer is neither/],
    ['has another algorithm', changed(0, { alg: 'HS256' }), /"alg" header parameter/],
    ['has a signature that does not fit', changed(1, { extra: 1 }), /signature verification failed/],
    ['has an unknown key', changed(0, { kid: 'unknown' }), /JWT verification key/],
    ['is no token', () => 'a.b.c', /its issuer is neither/],
    [
      'has a signature that is no base64',
      (token) => token.replace(/\.[^.]*$/, '.!!!'),
      /could not be verified \(\w+\)/,
    ],
    ['is no text', () => 7, /sent no ID token/],
  ])('%s: the operator reads why', async (_what, change, reason) => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator });
    let token = '';
    emulator.faults.inject({
      on: 'code',
      kind: 'reply',
      change: (reply) => {
        token = String(reply['id_token']);
        return { ...reply, id_token: change(token) };
      },
    });

    const { body } = await logIn(browser(), emulator);

    expect(body.code).toBe('ERR_SALESFORCE_ID_TOKEN_INVALID');
    expect((errors[0] as Error).message).toMatch(reason);
    expect((errors[0] as Error).message).not.toContain('could not be verified.');
    expect((errors[0] as Error).message).not.toContain(token.split('.')[2]);
  });
});
