import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { newestApiVersion } from '../../lib/salesforce/api-version';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { installed } from './program';

const { node, folder } = installed('salesforce-cli');
const program = join(folder, 'node_modules/@salesforce/cli/bin/run.js');
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

let emulator: Emulator;
let home: string;
let project: string;
let browser: Browser;
/** What a person would see: the commands and what they print. */
const transcript: string[] = [];

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'salesforce-cli-'));
  project = join(home, 'project');
  mkdirSync(join(project, 'force-app'), { recursive: true });
  const port = await freePort();
  const settings = { packageDirectories: [{ path: 'force-app', default: true }], sourceApiVersion: newestApiVersion };
  writeFileSync(join(project, 'sfdx-project.json'), JSON.stringify({ ...settings, oauthLocalPort: port }));
  // The command line opens a browser with the program that BROWSER names: here one that writes the URL down.
  writeFileSync(join(home, 'browser'), `#!/bin/sh\nprintf '%s' "$1" > '${join(home, 'url')}'\n`, { mode: 0o755 });
  writeFileSync(join(home, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  emulator = await startTestEmulator({
    // The app of the command line, which each organization has.
    clientID: 'PlatformCLI',
    clientSecret: false,
    callbackURLs: [`http://localhost:${port}/OauthRedirect`],
  });
  const executablePath = process.env['CHROMIUM_PATH'] || '/usr/bin/chromium';
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
});

afterAll(async () => {
  await browser.close();
  rmSync(home, { recursive: true, force: true });
});

const environment = (): NodeJS.ProcessEnv => ({
  ...process.env,
  // What jest sets, with which the command line looks for its developers' tools.
  NODE_ENV: 'production',
  // With it, the command line draws its tables with other characters.
  CI: undefined,
  HOME: home,
  BROWSER: join(home, 'browser'),
  NO_COLOR: '1',
  FORCE_COLOR: '0',
  SF_USE_GENERIC_UNIX_KEYCHAIN: 'true',
  SF_DISABLE_TELEMETRY: 'true',
  SF_DISABLE_AUTOUPDATE: 'true',
  SF_SKIP_NEW_VERSION_CHECK: 'true',
  SF_DISABLE_LOG_FILE: 'true',
});

/** Runs a command to its end. @throws Error with its output if it fails */
function sf(...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(node, [program, ...args], { cwd: project, env: environment() }, (error, output, errors) => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- it is one
      if (error) reject(Object.assign(error, { message: `${error.message}\n${output}` }));
      else resolve(note(args, output, errors));
    });
  });
}

/** The same, with the answer as JSON. */
async function sfJson(...args: string[]): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    execFile(node, [program, ...args, '--json'], { cwd: project, env: environment() }, (error, output) => {
      if (error && !output.startsWith('{')) reject(new Error(output, { cause: error }));
      else {
        const { result, ...failure } = JSON.parse(output) as { result?: Record<string, unknown> };
        if (result) resolve(result);
        else reject(new Error(JSON.stringify(failure)));
      }
    });
  });
}

function note(args: readonly string[], output: string, errors = ''): string {
  const quoted = args.map((arg) => (/[\s'()]/.test(arg) ? `"${arg}"` : arg)).join(' ');
  const progress = errors.split('\n').filter((line) => /\.\.\. \w+$/.test(line));
  transcript.push([`$ sf ${quoted}`, ...progress, output.trimEnd()].join('\n'));
  return output;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, 'localhost');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Logs in as a person does: the command opens the browser, the person clicks, the command goes on. */
async function logIn(): Promise<string> {
  const args = ['org', 'login', 'web', '--instance-url', emulator.url, '--alias', 'ada', '--set-default'];
  const child = spawn(node, [program, ...args], { cwd: project, env: environment() });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, 'close');
  try {
    const page = await browser.newPage();
    await page.goto(await openedURL(child));
    await page.getByRole('button', { name: 'Continue as Ada Fake' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.getByText('Authentication Successful').waitFor();
    await page.close();
    const [code] = (await ended) as [number];
    if (code !== 0) throw new Error(output);
  } finally {
    child.kill();
  }
  return note(
    args,
    output
      .split('\n')
      .filter((line) => !line.startsWith('Warning'))
      .join('\n'),
  );
}

async function openedURL(child: ChildProcess): Promise<string> {
  const path = join(home, 'url');
  for (;;) {
    const url = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (url !== '') return url;
    if (child.exitCode !== null) throw new Error('The command ended without opening a browser.');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('Salesforce CLI (`@salesforce/cli`)', () => {
  it('`org login web`', async () => {
    expect(await logIn()).toContain('Successfully authorized ada@acme.example with org ID 00DFAKE');
    expect(emulator.requests.find(({ path }) => path.endsWith('/authorize'))?.query).toMatchObject({
      client_id: 'PlatformCLI',
      scope: 'refresh_token api web',
      prompt: 'login',
    });
  });

  it('`org display`', async () => {
    const output = await sf('org', 'display');

    expect(output).toMatch(/Connected Status\s+│ Connected/);
    expect(output).toMatch(new RegExp(`Api Version\\s+│ ${newestApiVersion}`));
  });

  it('`data query`', async () => {
    const where = "Industry = 'Energy' OR Name LIKE 'G%'";
    const output = await sf('data', 'query', '--query', `SELECT Name, Owner.Username FROM Account WHERE ${where}`);

    expect(output).toMatch(/NAME\s+│ OWNER.USERNAME/);
    expect(output).toMatch(/Grand Hotels\s+│ ada@acme.example/);
    expect(output).toContain('Total number of records retrieved: 3.');
    expect(await sf('data', 'query', '--query', 'SELECT COUNT() FROM Contact')).toContain('retrieved: 11.');
  });

  it('`data create record`, `data update record`, `data delete record`', async () => {
    const which = ['--sobject', 'Account', '--where', "Name='By hand'"];
    const stored = (): Promise<Record<string, unknown>> =>
      sfJson('data', 'query', '--query', "SELECT Phone FROM Account WHERE Name = 'By hand'");

    await sf('data', 'create', 'record', '--sobject', 'Account', '--values', "Name='By hand' Industry=Energy");
    await sf('data', 'update', 'record', ...which, '--values', 'Phone=555');
    expect(await stored()).toMatchObject({ records: [{ Phone: '555' }] });
    await sf('data', 'delete', 'record', ...which);
    expect(await stored()).toMatchObject({ totalSize: 0 });
  });

  it('`api request rest`', async () => {
    const output = await sf('api', 'request', 'rest', `/services/data/v${newestApiVersion}/limits`);

    expect(JSON.parse(output)).toHaveProperty('DailyApiRequests.Max', 15000);
  });

  it('`org open --url-only`', async () => {
    const output = await sf('org', 'open', '--url-only', '--path', 'lightning/page/home');
    const url = /http:\S+frontdoor\.jsp\S+/.exec(output)![0];
    const page = await browser.newPage();
    const response = await page.goto(url);

    expect(response?.request().redirectedFrom()?.url()).toBe(url);
    expect(page.url()).toBe(`${emulator.url}/lightning/page/home`);
    await page.close();
  });

  it('a refresh when its session has ended', async () => {
    const refreshes = (): number =>
      emulator.requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
    const before = refreshes();
    emulator.expireAccessTokens();

    expect(await sfJson('data', 'query', '--query', 'SELECT Id FROM Account')).toMatchObject({ totalSize: 10 });
    expect(refreshes()).toBe(before + 1);
  });

  it('`org logout`', async () => {
    expect(await sf('org', 'logout', '--target-org', 'ada', '--no-prompt')).toContain('ada@acme.example');
    await expect(sf('org', 'display', '--target-org', 'ada')).rejects.toThrow(
      /No authorization information found|NamedOrgNotFound/,
    );
  });

  it('`org login jwt`', async () => {
    const client = emulator.registerClient({
      callbackURLs: [],
      policy: { adminApprovedUsers: ['grace@acme.example'] },
      publicKey: publicKey.export({ format: 'jwk' }),
    });
    const args = ['--client-id', client.clientID, '--jwt-key-file', join(home, 'key.pem')];

    const result = await sfJson(
      ...['org', 'login', 'jwt', '--username', 'grace@acme.example', '--instance-url', emulator.url, ...args],
    );

    expect(result).toMatchObject({ username: 'grace@acme.example', instanceUrl: emulator.url });
  });
});

describe('docs/reference/clients.md', () => {
  const page = 'docs/reference/clients.md';
  const block = /(<!-- transcript -->\n\n```console\n)[^]*?(\n```)/;

  it('shows what the command line printed', () => {
    const text = readFileSync(page, 'utf8');
    const shown = transcript
      .filter((part) => !part.startsWith('$ sf org display --target-org'))
      .join('\n\n')
      // The columns of a table stay as wide as they are.
      .replaceAll(`│ ${emulator.url} `, `│ ${'http://localhost:4400'.padEnd(emulator.url.length)} `)
      .replaceAll(emulator.url, 'http://localhost:4400')
      .replace(/__fake_one_time_password_\w+?__/g, '__fake_one_time_password__')
      .replace(/("Remaining": 14)\d{3}/g, '$1900')
      .replace(/ +$/gm, '');
    const written = text.replace(block, (_whole, start: string, end: string) => start + shown + end);
    if (process.env['WRITE_TRANSCRIPT'] === '1') writeFileSync(page, written);

    expect(readFileSync(page, 'utf8')).toBe(written);
  });
});
