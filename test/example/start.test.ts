import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { browse, logInAtEmulator } from '../helpers/emulator';
import { freePort } from '../stores/servers/programs';
import { root, runExample, startExample } from './support';

jest.setTimeout(240_000);

describe('example/start.mjs', () => {
  it('says that it is offline, and prints its URL and the users', async () => {
    const example = await startExample();

    const output = example.output();

    expect(output).toContain('SALESFORCE_CLIENT_ID is not set, so this is not Salesforce');
    expect(output).toContain(`Open ${example.url} `);
    expect(output).toContain('ada@acme.example  with password  __fake_password_1__');
    expect(output).toContain(`${example.url}/setup`);
    await example.stop();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops cleanly on %s, with a browser connected', async (signal) => {
    const example = await startExample();
    await (await fetch(example.url)).text();

    expect(await example.stop(signal)).toBe(0);
  });

  it('stops soon, although a browser has opened a connection in advance', async () => {
    const example = await startExample();
    const socket = connect(Number(new URL(example.url).port), 'localhost');
    await once(socket, 'connect');
    // The server has accepted the connection before it answers another one.
    await (await fetch(example.url)).text();
    const started = performance.now();

    expect(await example.stop()).toBe(0);
    expect(performance.now() - started).toBeLessThan(20_000);
    socket.destroy();
  });

  it('says which port is in use, and what to do', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { code, output } = await runExample({ PORT: String(port) });

    server.close();
    expect(code).toBe(1);
    expect(output).toBe(`Port ${port} is in use. Choose another, for instance: PORT=3001 npm start\n`);
  });

  it.each([
    ['PORT', { PORT: 'http' }, 'PORT is not a port number: http'],
    ['the prompt', { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_PROMPT_TYPE: 'logn' }, "Did you mean 'login'?"],
    ['the base URL', { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_BASE_URL: 'http://a.example' }, 'baseUrl must use https'],
  ])('explains a mistake in %s in one line', async (_what, env, message) => {
    const { code, output } = await runExample(env);

    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output.trim().split('\n')).toHaveLength(1);
  });
});

describe('the code to copy', () => {
  it.each(['app.mjs', 'minimal.mjs'])('%s has fewer than 100 lines', (file) => {
    expect(readFileSync(join(root, 'example', file), 'utf8').split('\n').length).toBeLessThan(100);
  });

  it('matches the types of the package', () => {
    const tsc = require.resolve('typescript/bin/tsc');

    const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'example'], { cwd: root, encoding: 'utf8' });

    expect(stdout).toBe('');
  });
});

describe('example/minimal.mjs', () => {
  it('logs in, shows accounts, continues after an expired token and logs out', async () => {
    const example = await startExample({ PORT: String(await freePort()) }, 'minimal.mjs');
    const [, username = '', password = ''] = /^ {2}(\S+) +with password +(\S+)$/m.exec(example.output()) ?? [];
    const cookies = new Map<string, string>();
    const get = (path: string): Promise<Response> => browse({ url: example.url + path }, cookies);
    const post = (path: string): Promise<Response> =>
      browse({ url: example.url + path, body: new URLSearchParams() }, cookies);

    const authorizeUrl = (await get('/auth/salesforce?returnTo=/accounts')).headers.get('location')!;
    const callback = await logInAtEmulator({ authorizeUrl, username, password });
    const back = await get(callback.slice(example.url.length));
    const first = await (await get('/accounts')).text();
    await post('/expire');
    const second = await (await get('/accounts')).text();
    await post('/auth/salesforce/logout');
    const after = await (await get('/')).text();

    expect(back.headers.get('location')).toBe('/accounts');
    expect(first).toContain('<h1>Hello, Ada Fake</h1>');
    expect(first).toContain('<b id="refreshes">0</b>');
    expect(first).toContain('<li>United Oil &#38; Gas</li>');
    expect(second).toContain('<b id="refreshes">1</b>');
    expect(second).toContain('<li>United Oil &#38; Gas</li>');
    expect(after).toContain('Log in with Salesforce');
    expect(await example.stop()).toBe(0);
  });

  it('says that its port is in use, and ends', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { code, output } = await runExample({ PORT: String(port) }, 'minimal.mjs');

    server.close();
    expect(code).toBe(1);
    expect(output).toContain(`address already in use :::${port}`);
    expect(output).not.toContain('Ready');
  });
});

describe('example/.env.example', () => {
  it('names every variable that the package reads, each with a comment, and sets none', () => {
    const lines = readFileSync(join(root, 'example/.env.example'), 'utf8').split('\n');
    const variables = lines.flatMap((line, index) =>
      /^[A-Z_]+=/.test(line) ? [{ line, above: lines[index - 1] }] : [],
    );

    const source = readFileSync(join(root, 'lib/options/environment.ts'), 'utf8');
    const read = [...source.matchAll(/read\('(\w+)'\)/g)].map(([, name]) => `SALESFORCE_${name}=`);
    expect(variables.map(({ line }) => line)).toEqual(expect.arrayContaining(read));
    for (const { above } of variables) expect(above).toMatch(/^# \S/);
  });
});
