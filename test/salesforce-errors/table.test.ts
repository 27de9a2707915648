import { meanings } from '../../lib/salesforce-errors/meanings';
import type { SalesforceError, SeenAt } from '../../lib/salesforce-errors/entry';
import { salesforceErrors } from '../../lib/salesforce-errors/table';
import { userMessages } from '../../lib/salesforce-errors/user-messages';
import { diagnose, isSalesforceAuthError, salesforceApiError, type SalesforceAuthError } from '../../lib';
import type { Emulator, FaultInjection } from '../../lib/emulator';
import { logIn, startApp, walkToCallback, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

/*
 * Every entry of the catalogue is produced by the emulator at each place it is seen at, in a login, a refresh, a logout or a
 * call of the API, and has to become the code, status and transience it promises.
 */

interface Started extends TestApp {
  emulator: Emulator;
}

async function start(options: Record<string, unknown> = {}): Promise<Started> {
  const emulator = await startTestEmulator();
  return {
    emulator,
    ...(await startApp({
      emulator,
      options,
      routes: (app) =>
        app.get('/api', (req, res, next) => {
          req.salesforce
            .fetch('/services/data/v62.0/limits')
            .then(async (reply) => {
              if (!reply.ok) throw await salesforceApiError(reply);
              res.json(await reply.json());
            })
            .catch(next);
        }),
    })),
  };
}

/** What an error of Salesforce at one place leaves behind in a running application. */
type Provoke = (
  app: Started,
  fault: Omit<FaultInjection, 'on'>,
  entry: Pick<SalesforceError, 'error'>,
) => Promise<SalesforceAuthError | undefined>;

const inLogin =
  (on: 'authorize' | 'code' | 'identity'): Provoke =>
  async ({ emulator, browser, errors }, fault) => {
    const tab = browser();
    if (on === 'authorize') {
      emulator.faults.inject({ ...fault, on } as FaultInjection);
      await logIn(tab, emulator);
    } else {
      const callback = await walkToCallback(tab, emulator);
      emulator.faults.inject({ ...fault, on } as FaultInjection);
      await tab.get(callback);
    }
    return errors.pop() as SalesforceAuthError;
  };

/** The error behind what a refresh ends with: a failed one reports its reason as its cause. */
const inRefresh: Provoke = async ({ emulator, browser, errors, salesforce }, fault) => {
  const tab = browser();
  await logIn(tab, emulator);
  const told: unknown[] = [];
  const note = ({ code }: { code: unknown }): void => void told.push(code);
  const events = ['refresh.ended', 'refresh.doubted', 'refresh.failed'] as const;
  for (const event of events) salesforce.events.on(event, note);
  emulator.expireAccessTokens();
  emulator.faults.inject({ ...fault, on: 'refresh' } as FaultInjection);
  await tab.get('/accounts');
  for (const event of events) salesforce.events.off(event, note);
  const error = errors.pop() as SalesforceAuthError;
  const reason = isSalesforceAuthError(error.cause) ? (error.cause as SalesforceAuthError) : error;
  expect(told).toEqual([reason.code]);
  return reason;
};

const provoke: Readonly<Record<Exclude<SeenAt, 'page'>, Provoke>> = {
  callback: inLogin('authorize'),
  code: inLogin('code'),
  profile: inLogin('identity'),
  refresh: inRefresh,
  app: async ({ emulator, salesforce }, fault) => {
    const app = salesforce.app({ baseUrl: emulator.myDomainUrl });
    emulator.faults.inject({ ...fault, on: 'token' } as FaultInjection);
    const error = (await app.getAccessToken().catch((thrown: unknown) => thrown)) as SalesforceAuthError;
    // What is refused is asked again after a pause, and the next error begins anew.
    await salesforce.tokens.revoke(await app.getGrantId());
    return isSalesforceAuthError(error.cause) ? (error.cause as SalesforceAuthError) : error;
  },
  revoke: async ({ emulator, browser, salesforce }, fault) => {
    const tab = browser();
    await logIn(tab, emulator);
    const told: boolean[] = [];
    salesforce.events.on('revocation.succeeded', () => told.push(true));
    emulator.faults.inject({ ...fault, on: 'revoke' } as FaultInjection);
    await tab.post('/auth/salesforce/logout');
    salesforce.events.removeAllListeners('revocation.succeeded');
    expect(told).toEqual([true]);
    return undefined;
  },
  api: async ({ emulator, browser, errors }, fault, { error }) => {
    const tab = browser();
    await logIn(tab, emulator);
    // Plain text where Salesforce has plain text; twice, since an ended session is refreshed once.
    const body = error.endsWith('_OAuth_Token') ? ({ kind: 'status', status: 403, body: error } as const) : fault;
    const injected = emulator.faults.inject({ ...body, on: 'data', times: 2 } as FaultInjection);
    await tab.get('/api');
    injected.remove();
    return errors.pop() as SalesforceAuthError;
  },
};

const statusOf = (place: SeenAt, { error }: SalesforceError): number => {
  if (place !== 'api') return place === 'profile' ? 403 : 400;
  return { INVALID_SESSION_ID: 401, SERVER_UNAVAILABLE: 503 }[error] ?? 403;
};

describe.each(Object.keys(provoke) as (keyof typeof provoke)[])('an error of Salesforce in %s', (place) => {
  const entries = salesforceErrors.filter(({ at }) => at.includes(place));

  it('becomes the error of the table', async () => {
    // The clock stands still: what is tried again later never is.
    const app = await start(place === 'revoke' ? { clock: new ManualClock() } : {});
    const seen: Record<string, unknown> = {};
    const promised: Record<string, unknown> = {};
    for (const entry of entries) {
      const { error, text, meaning } = entry;
      const status = statusOf(place, entry);
      const fault = { kind: 'error', error, status, ...(text === undefined ? {} : { errorDescription: text }) };

      const found = await provoke[place](app, fault as never, entry);

      const label = `${error}: ${text ?? ''}`;
      seen[label] = found && {
        code: found.code,
        status: found.status,
        isTransient: found.isTransient,
        userMessage: found.userMessage,
        error: found.error,
        hasAdvice: meaning !== 'ignored' && found.message.includes(meanings[meaning].advice),
      };
      if (meaning === 'ignored') continue;
      const { code, status: ours } = meanings[meaning];
      const { isTransient, userMessage } = userMessages[code];
      promised[label] = { code, status: ours, isTransient, userMessage, error, hasAdvice: true };
    }

    expect(entries.length).toBeGreaterThan(1);
    expect(seen).toEqual(promised);
  });
});

describe('an error that Salesforce shows on its own page', () => {
  const entries = salesforceErrors.filter(({ at, meaning }) => at.includes('page') && meaning !== 'ignored');

  it('is shown to the user, and the doctor finds it with a fix', async () => {
    const { emulator, browser, client, url } = await start();
    const { clientID, clientSecret } = client;
    const callbackURL = `${url}/auth/salesforce/callback`;
    const seen: Record<string, unknown> = {};
    const promised: Record<string, unknown> = {};
    for (const { error, text, meaning } of entries) {
      const fault = { on: 'authorize', kind: 'error', error, page: true, times: 2 } as const;
      const said = text === undefined ? {} : { errorDescription: text };
      emulator.faults.inject({ ...fault, ...said });
      const shown = await logIn(browser(), emulator).then(
        () => '',
        (failure: unknown) => (failure as Error).message,
      );
      const { findings } = await diagnose({ clientID, clientSecret, callbackURL, baseUrl: emulator.url });
      emulator.faults.clear();

      const found = findings.find(({ code }) => code !== undefined);
      const label = `${error}: ${text ?? ''}`;
      seen[label] = { code: found?.code, fix: found?.fix, isShown: shown.includes(error) };
      const { code, advice } = meanings[meaning as keyof typeof meanings];
      promised[label] = { code, fix: advice, isShown: true };
    }

    expect(entries.length).toBeGreaterThan(5);
    expect(seen).toEqual(promised);
    expect(emulator.presentations.size).toBe(0);
  });
});

describe('an error that is not in the table', () => {
  const unknown = { error: 'brand_new_error', errorDescription: 'told <b>nobody</b>\r\nyet' };
  it.each([
    ['callback', 'ERR_SALESFORCE_OAUTH', 502],
    ['code', 'ERR_SALESFORCE_OAUTH', 502],
    ['refresh', 'ERR_SALESFORCE_OAUTH', 502],
    ['api', 'ERR_SALESFORCE_API', 502],
  ] as const)('keeps its words, made safe, in %s', async (place, code, status) => {
    const seen = await provoke[place](await start(), { kind: 'error', ...unknown } as never, unknown);

    expect(seen).toMatchObject({ code, status, isTransient: false, error: 'brand_new_error' });
    expect(seen!.errorDescription).toBe('told <b>nobody</b> yet');
  });

  it('is an outage with a 5xx status, and in doubt in a refresh', async () => {
    const fault = { kind: 'error', ...unknown, status: 500 } as never;

    const app = await start();
    expect(await provoke.code(app, fault, unknown)).toMatchObject({
      code: 'ERR_SALESFORCE_UPSTREAM',
      isTransient: true,
    });
    expect(await provoke.refresh(app, fault, unknown)).toMatchObject({ code: 'ERR_SALESFORCE_UPSTREAM', status: 503 });
    expect(await provoke.api(app, fault, unknown)).toMatchObject({ code: 'ERR_SALESFORCE_UPSTREAM' });
  });

  it('keeps no text that is long enough to be a secret', async () => {
    const secret = 'aPrx__fake_authorization_code_that_is_long__';

    const seen = await provoke.callback(
      await start(),
      { kind: 'error', error: 'invalid_scope', errorDescription: `no ${secret}` } as never,
      unknown,
    );

    expect(seen!.errorDescription).toBe('no [redacted]');
    expect(seen!.message).not.toContain(secret);
  });
});
