/** @tier all */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import request from 'supertest';
import WebSocket from 'ws';
import type { Emulator, FaultKind } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { eventually, runExample, startExample } from './support';

jest.setTimeout(240_000);

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** One integration as a process of its own, with refresh token rotation on, and somebody who is logged in. */
async function start(name: string) {
  const emulator = await startTestEmulator({ policy: { rotateRefreshTokens: true }, queryBatchSize: 4 });
  const client = emulator.clients[0]!;
  const { url, stop, output } = await startExample(
    {
      SALESFORCE_CLIENT_ID: client.clientID,
      SALESFORCE_CLIENT_SECRET: client.clientSecret,
      SALESFORCE_BASE_URL: emulator.url,
    },
    'integrations/start.mjs',
    name,
  );
  stops.push(stop);
  client.callbackURLs.push(`${url}/auth/salesforce/callback`);
  const logIn = async (): Promise<string> => emulator.logInTo(url);
  const cookie = await logIn();
  const browser = request.agent(url).set('Cookie', cookie);
  return { emulator, browser, url, stop, cookie, logIn, output };
}

/** How often the refresh tokens of an emulator were presented. */
function presented({ presentations }: Emulator): number {
  return [...presentations.values()].reduce((sum, count) => sum + count, 0);
}

describe('the integration with jsforce', () => {
  it('reads and writes although the token ends several times, with parallel requests', async () => {
    const { emulator, browser } = await start('jsforce');

    for (let end = 1; end <= 3; end++) {
      emulator.expireAccessTokens();
      const answers = await Promise.all([1, 2, 3, 4].map(() => browser.get('/')));
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
      expect(answers[0]!.body).toContain('GenePoint');
      expect(presented(emulator)).toBe(end);
    }
    emulator.expireAccessTokens();
    const created = await browser.post('/contacts').send({ LastName: 'New', Title: 'CEO' });

    expect([created.status, created.body.success]).toEqual([201, true]);
  });
});

describe('the integration with Passport', () => {
  it('logs in with the strategy, and out', async () => {
    const { emulator, browser, url } = await start('passport');

    expect((await browser.get('/')).body.name).toBe(emulator.users[0]!.displayName);
    expect((await request(url).get('/')).headers['location']).toBe('/auth/salesforce');
    await browser.post('/logout');
    expect((await browser.get('/')).status).toBe(302);
  });
});

describe('the integration with NestJS', () => {
  it('guards a controller, and refreshes for it', async () => {
    const { emulator, browser, url } = await start('nestjs');

    emulator.expireAccessTokens();
    const { status, body } = await browser.get('/');

    expect([status, body.user]).toEqual([200, emulator.users[0]!.displayName]);
    expect(body.accounts).toHaveLength(4);
    const visitor = await request(url).get('/').set('Accept', 'text/html');
    expect([visitor.status, visitor.headers['location']]).toEqual([302, '/auth/salesforce?returnTo=%2F']);
    expect(await request(url).get('/')).toMatchObject({
      status: 401,
      body: { code: 'ERR_SALESFORCE_NOT_AUTHENTICATED' },
    });
  });

  it('sends a user whose grant has ended to the login, and reports other errors', async () => {
    const { emulator, browser } = await start('nestjs');

    emulator.faults.inject({ on: 'data', kind: 'error', error: 'REQUEST_LIMIT_EXCEEDED', status: 403 });
    expect((await browser.get('/')).body.code).toBe('ERR_SALESFORCE_API_LIMIT');
    emulator.revokeRefreshTokens();
    const page = await browser.get('/').set('Accept', 'text/html');

    expect([page.status, page.headers['location']]).toEqual([302, '/auth/salesforce?returnTo=%2F']);
  });
});

describe('the integration with the APIs of Salesforce', () => {
  it('calls SOQL, REST, Composite and Bulk, each with a token that has just ended', async () => {
    const { emulator, browser } = await start('apis');

    emulator.expireAccessTokens();
    const names = (await browser.get('/')).body as string[];
    expect(names).toHaveLength(10);

    emulator.expireAccessTokens();
    const customer = await browser.post('/customers').send({ company: 'New Inc.', lastName: 'New' });
    expect(customer.body).toEqual({
      accountId: expect.stringMatching(/^001/),
      contactId: expect.stringMatching(/^003/),
    });

    emulator.expireAccessTokens();
    const changed = await browser.patch(`/accounts/${customer.body.accountId}`).send({ Industry: 'Energy' });
    expect(changed.status).toBe(204);

    emulator.expireAccessTokens();
    const imported = await browser
      .post('/contacts.csv')
      .type('text/csv')
      .send('LastName,Title\n"O\'Hara, Jr.",CEO\n,Nobody\n');
    expect(imported.body).toMatchObject({ processed: 2, failed: 1 });
    expect(imported.body.details).toContain('REQUIRED_FIELD_MISSING');

    emulator.expireAccessTokens();
    const exported = await browser.get('/contacts.csv');
    const lines = exported.text.trim().split('\n');
    expect(lines[0]).toBe('"LastName","Title"');
    expect(lines).toContain('"O\'Hara, Jr.","CEO"');
    expect(lines.filter((line) => line.includes('LastName'))).toHaveLength(1);
    expect(lines).toHaveLength(1 + 11 + 2);
  });

  it('creates both records or neither, and reports why', async () => {
    const { browser } = await start('apis');

    const refused = await browser.post('/customers').send({ company: 'New Inc.' });

    expect([refused.status, refused.body.errorCode]).toEqual([422, 'REQUIRED_FIELD_MISSING']);
    expect((await browser.get('/')).body).toHaveLength(10);
  });
});

describe('the integration of a download', () => {
  it('sends the whole file, with a token that has just ended', async () => {
    const { emulator, browser } = await start('download');
    const [file] = (await browser.get('/')).body as { title: string; href: string }[];

    emulator.expireAccessTokens();
    const { status, headers, body } = await browser.get(file!.href).buffer();

    expect([status, file!.title]).toEqual([200, 'Price list']);
    expect(headers['content-disposition']).toMatch(/^attachment/);
    expect((body as Buffer).subarray(0, 18).toString()).toBe('Article,Name,Price');
    expect((body as Buffer).length).toBeGreaterThan(1_000_000);
    expect((await browser.get('/files/068nope')).status).toBe(404);
  });

  it('survives a browser that disconnects during the download', async () => {
    const { emulator, browser, url, cookie } = await start('download');
    const [file] = (await browser.get('/')).body as { href: string }[];
    emulator.faults.inject({
      on: 'data',
      kind: 'drip',
      when: 'after',
      match: ({ path }) => path.includes('VersionData'),
    });

    const gone = new AbortController();
    const reply = await fetch(url + file!.href, { headers: { cookie }, signal: gone.signal });
    gone.abort();
    await expect(reply.text()).rejects.toThrow('aborted');

    expect((await browser.get('/')).status).toBe(200);
  });
});

describe('the integration of a job', () => {
  it('runs after the request, with its own token', async () => {
    const { emulator, browser, url, logIn } = await start('job');
    emulator.faults.inject({ on: 'data', kind: 'delay', delayMs: 20 });

    const asked = await browser.post('/reports');
    emulator.expireAccessTokens();
    const path = asked.headers['location'] as string;
    let report = (await browser.get(path)).body as { state: string };
    while (report.state === 'waiting') report = (await browser.get(path)).body as { state: string };

    expect([asked.status, report]).toEqual([202, { state: 'done', accounts: 10 }]);
    const other = await emulator.logInTo(url, { ...emulator.users[1]! });
    expect((await request(url).get(path).set('Cookie', other)).status).toBe(404);
    expect(await logIn()).toBeTruthy();
  });

  it.each<[string, FaultKind]>([
    ['is down', { kind: 'status', status: 503 }],
    ['answers with a maintenance page', { kind: 'html' }],
    ['refuses the query', { kind: 'error', error: 'REQUEST_LIMIT_EXCEEDED', status: 403 }],
    ['sends half an answer', { kind: 'truncated' }],
  ])('says "try again later" if Salesforce %s, and does the next job', async (_what, fault) => {
    const { emulator, browser, output } = await start('job');
    const stateOf = async (): Promise<string> => {
      const path = (await browser.post('/reports')).headers['location'] as string;
      for (;;) {
        const { state } = (await browser.get(path)).body as { state: string };
        if (state !== 'waiting') return state;
      }
    };

    emulator.faults.inject({ on: 'data', times: Infinity, ...fault });
    expect(await stateOf()).toBe('try again later');
    expect(output()).toContain('Report 1 failed:');
    emulator.faults.clear();
    expect(await stateOf()).toBe('done');
  });

  it('says "log in again" if the grant has ended', async () => {
    const { emulator, browser, url, logIn } = await start('job');
    emulator.revokeRefreshTokens();

    const path = (await browser.post('/reports')).headers['location'] as string;
    await eventually(async () => {
      const { body } = await request(url)
        .get(path)
        .set('Cookie', await logIn());
      expect(body).toEqual({ state: 'log in again' });
    });
  });
});

describe('the integration of a WebSocket', () => {
  const open = async (url: string, headers: Record<string, string>): Promise<WebSocket> => {
    const socket = new WebSocket(url.replace('http', 'ws'), { headers });
    stops.unshift(() => {
      socket.terminate();
      return Promise.resolve();
    });
    await once(socket, 'open');
    return socket;
  };
  const ask = async (socket: WebSocket, text: string): Promise<unknown> => {
    const over = new AbortController();
    socket.once('close', () => over.abort());
    const message = once(socket, 'message', { signal: over.signal }) as Promise<[Buffer]>;
    socket.send(text);
    const [data] = await message;
    return JSON.parse(data.toString());
  };

  it('stays open for a logged-in user after the end of the token, until the logout', async () => {
    const { emulator, browser, url, cookie } = await start('websocket');
    const socket = await open(url, { cookie });

    expect(await ask(socket, 'Gene')).toEqual(['GenePoint']);
    emulator.expireAccessTokens();
    expect(await ask(socket, 'Grand')).toEqual(['Grand Hotels']);
    expect(await ask(socket, "%' OR Name LIKE '")).toEqual([]);
    const closed = once(socket, 'close') as Promise<[number]>;
    await browser.post('/auth/salesforce/logout');

    expect((await closed)[0]).toBe(4401);
    await expect(open(url, { cookie })).rejects.toThrow('401');
  });

  it('refuses users who are not logged in, and other sites', async () => {
    const { url, cookie } = await start('websocket');

    await expect(open(url, {})).rejects.toThrow('401');
    await expect(open(url, { cookie, origin: 'https://evil.example' })).rejects.toThrow('401');
    await expect(open(url, { cookie, origin: 'null' })).rejects.toThrow('401');
  });

  it('is closed if the grant has ended', async () => {
    const { emulator, url, cookie } = await start('websocket');
    const socket = await open(url, { cookie });
    emulator.revokeRefreshTokens();

    const closed = once(socket, 'close') as Promise<[number]>;
    socket.send('Gene');

    expect((await closed)[0]).toBe(4401);
  });

  it.each<[string, FaultKind]>([
    ['is down', { kind: 'status', status: 503 }],
    ['answers with a maintenance page', { kind: 'html' }],
    ['refuses the query', { kind: 'error', error: 'REQUEST_LIMIT_EXCEEDED', status: 403 }],
  ])('stays open if Salesforce %s, and answers the next message', async (_what, fault) => {
    const { emulator, url, cookie } = await start('websocket');
    const socket = await open(url, { cookie });

    emulator.faults.inject({ on: 'data', times: Infinity, ...fault });
    expect(await ask(socket, 'Gene')).toEqual({ error: 'Try again later.' });
    emulator.faults.clear();
    expect(await ask(socket, 'Gene')).toEqual(['GenePoint']);
  });

  /** Sends an upgrade without a login. */
  const upgrade = (url: string, target: string): Socket => {
    const socket = connect(Number(new URL(url).port), 'localhost');
    stops.unshift(() => Promise.resolve(socket.destroy()));
    socket.on('error', () => socket.destroy());
    socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    return socket;
  };

  it('survives an upgrade with an invalid URL', async () => {
    const { url } = await start('websocket');

    await once(upgrade(url, 'http://['), 'close');

    expect((await request(url).get('/')).status).toBe(401);
  });

  it('survives clients without a login that reset the connection', async () => {
    const { url } = await start('websocket');

    for (let client = 0; client < 20; client++) {
      const socket = upgrade(url, '/');
      await once(socket, 'connect');
      // The server has read the upgrade before it answers another request.
      await request(url).get('/');
      socket.resetAndDestroy();
    }

    expect((await request(url).get('/')).status).toBe(401);
  });
});

describe('the starter of the integrations', () => {
  it.each(['jsforce', 'nestjs'])('says that the port of %s is in use, and ends', async (name) => {
    const server = createServer().listen(0, 'localhost');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { code, output } = await runExample({ PORT: String(port) }, 'integrations/start.mjs', name);

    server.close();
    expect(code).toBe(1);
    expect(output).toContain(`Port ${port} is in use. Choose another, for instance: PORT=3001 npm run integration`);
    expect(output).not.toContain(' at ');
  });

  it('explains a mistake in PORT', async () => {
    const { code, output } = await runExample({ PORT: 'http' }, 'integrations/start.mjs', 'nestjs');

    expect([code, output]).toEqual([1, 'PORT is not a port number: http\n']);
  });

  it('lists the names for an unknown name', async () => {
    const { code, output } = await runExample({}, 'integrations/start.mjs', 'nest');

    expect(code).toBe(1);
    expect(output.trim()).toBe(
      'Name the integration to run: npm run integration -- <name>. The names are apis, download, job, jsforce, nestjs, passport, websocket.',
    );
  });

  it('runs an integration offline', async () => {
    const { url, output, stop } = await startExample({ PORT: '0' }, 'integrations/start.mjs', 'jsforce');
    stops.push(stop);

    expect(output()).toContain('takes the place of Salesforce');
    expect((await request(url).get('/').set('Accept', 'text/html')).status).toBe(302);
  });
});
