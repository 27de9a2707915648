/** @tier all */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Emulator } from '../../lib/emulator';
import { dist } from '../helpers/built';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';

const root = resolve(__dirname, '../..');
const sentinel = '__sentinel_that_must_not_be_printed__';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'doctor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs the command of the built package as a shell would. */
async function doctor(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [join(dist, 'cli.js'), 'doctor', ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...env },
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (text: Buffer) => (output.stdout += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output.stderr += text.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, ...output };
}

function environment(emulator: Emulator): Record<string, string> {
  return {
    SALESFORCE_CLIENT_ID: emulator.clients[0]!.clientID,
    SALESFORCE_CLIENT_SECRET: emulator.clients[0]!.clientSecret,
    SALESFORCE_BASE_URL: emulator.url,
    SALESFORCE_CALLBACK_URL: defaultCallbackURL,
    SALESFORCE_SCOPE: 'openid id api refresh_token',
  };
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('express-salesforce-auth doctor', () => {
  it('prints what docs/reference/doctor.md shows', async () => {
    const documented = /<!-- printed by the doctor -->\s+```text\n([^]*?)```/.exec(
      readFileSync(join(root, 'docs/reference/doctor.md'), 'utf8'),
    )![1]!;
    const emulator = await startTestEmulator({ app: 'current', clientID: '3MVG9__fake__emulator_client_id__' });

    const { code, stdout } = await doctor([], {
      ...environment(emulator),
      SALESFORCE_CLIENT_SECRET: '__fake_wrong__',
      SALESFORCE_SCOPE: 'id api',
    });

    expect(stdout.replaceAll(emulator.url, 'http://localhost:4400')).toBe(
      documented.replaceAll('http://localhost:3000/auth/salesforce/callback', defaultCallbackURL),
    );
    expect(code).toBe(1);
  });

  it('reads the environment, prints what it found, and exits with 0', async () => {
    const emulator = await startTestEmulator({ clientSecret: sentinel });

    const { code, stdout, stderr } = await doctor([], environment(emulator));

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(`\n${emulator.url}\n`);
    expect(stdout).toMatch(/ {2}ok {7}client-secret +Salesforce accepts the client secret\./);
    expect(stdout).toMatch(/No problems, no warnings\.\n$/);
    expect(stdout).not.toContain(sentinel);
    expect(stdout).not.toContain('\u001b');
    expect(emulator.presentations.size).toBe(0);
    expect(emulator.requests.filter(({ body }) => body?.['refresh_token'] !== undefined)).toEqual([]);
  });

  it('exits with 1 and prints JSON for a machine, from a file of variables', async () => {
    const emulator = await startTestEmulator();
    const lines = Object.entries({ ...environment(emulator), SALESFORCE_CLIENT_SECRET: sentinel });
    const envFile = write('.env', lines.map(([name, value]) => `${name}="${value}"`).join('\n'));

    const { code, stdout } = await doctor(['--dotenv', envFile, '--json']);

    expect(code).toBe(1);
    const diagnosis = JSON.parse(stdout) as { ok: boolean; findings: { check: string; level: string }[] };
    expect(diagnosis.ok).toBe(false);
    expect(diagnosis.findings.filter(({ level }) => level === 'error')).toEqual([
      expect.objectContaining({ check: 'client-secret', code: 'ERR_SALESFORCE_CLIENT_REJECTED' }),
    ]);
    expect(stdout).not.toContain(sentinel);
  });

  it('reads a module with the options, and checks the store in it', async () => {
    const emulator = await startTestEmulator();
    const config = write(
      'salesforce.config.cjs',
      `const { configurationFromEnv, MemoryTokenStore } = require(${JSON.stringify(root)});
       setInterval(() => undefined, 1000); // as an open connection would
       module.exports = async () => ({ ...configurationFromEnv(process.env), store: new MemoryTokenStore() });`,
    );

    const alone = await doctor(['--config', config], environment(emulator));
    const many = await doctor(['--config', config, '--processes', '4', '--rotation'], environment(emulator));
    const strict = await doctor(['--config', config, '--strict'], environment(emulator));

    expect([alone.code, many.code, strict.code]).toEqual([0, 1, 1]);
    expect(alone.stdout).toMatch(/warning +store\.memory/);
    expect(many.stdout).toMatch(/problem +store\.memory/);
  });

  it.each([
    [['--nope'], "Unknown option '--nope'"],
    [['extra'], "Unexpected argument 'extra'"],
    [['--origin', 'app.example.com'], '--origin must be an origin'],
    [['--origin', 'https://app example.com'], '--origin must be an origin'],
    [['--origin', 'https://user@app.example.com'], '--origin must be an origin'],
    [['--processes', '0'], '--processes must be a number'],
    [['--dotenv', '/no/such/file'], 'The file /no/such/file cannot be read'],
    [['--config', '/no/such/module.js'], '/no/such/module.js could not be loaded'],
    [['--config', require.resolve('./modules/application.cjs')], 'exports an application or a middleware'],
  ])('refuses %j with exit code 2', async (args, message) => {
    const { code, stdout, stderr } = await doctor(args);

    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
  });

  it.each(['app:', 'app:with@at@', 'app@tenant:'])('prints no secret of a module that fails (%s)', async (start) => {
    const config = write(
      'broken.cjs',
      `throw new Error('cannot connect to redis://${start}${sentinel}@redis.invalid with ' + process.env.APP_SECRET);`,
    );

    const { code, stderr } = await doctor(['--config', config], { APP_SECRET: `${sentinel}2` });

    expect(code).toBe(2);
    expect(stderr).toMatch(/redis:\/\/app(@tenant)?:\[redacted\]@redis\.invalid/);
    expect(stderr).not.toContain(sentinel);
  });

  it('says what does not answer, in place of an end in silence', async () => {
    const emulator = await startTestEmulator();
    const never = '() => new Promise(() => undefined)';
    const options = (changes: string): string =>
      `const { configurationFromEnv, MemoryTokenStore } = require(${JSON.stringify(root)});
       module.exports = { ...configurationFromEnv(process.env), ${changes} };`;
    const run = (name: string, text: string) => doctor(['--config', write(name, text)], environment(emulator));

    // Each of them waits for its time limit.
    const [load, wait, configuration, fetch, store] = await Promise.all([
      run('load.cjs', `module.exports = ${never};`),
      run('wait.mjs', 'await new Promise(() => undefined); export default {};'),
      run('configuration.cjs', `module.exports = { configuration: ${never} };`),
      run('fetch.cjs', options(`fetch: ${never}, httpTimeoutMs: 500`)),
      run('store.cjs', options(`store: Object.assign(new MemoryTokenStore(), { read: ${never} })`)),
    ]);

    for (const { code, stderr } of [load, wait]) {
      expect(code).toBe(2);
      expect(stderr).toMatch(/(?:load|wait)\.\w+ gave no options within 10 seconds\. See what the module/);
    }
    expect([configuration.code, fetch.code, store.code]).toEqual([1, 1, 1]);
    expect(configuration.stdout).toMatch(/problem +configuration +The configuration function did not answer within/);
    expect(fetch.stdout).toMatch(/problem +base-url +localhost:\d+ does not answer in time\./);
    expect(store.stdout).toMatch(/problem +store .*TIMEOUT/);
  }, 30_000);

  it('shows its help', async () => {
    const { code, stdout } = await doctor(['--help']);

    expect(code).toBe(0);
    expect(stdout).toContain('--config <path>');
  });
});
