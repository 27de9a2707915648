import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { main } from '../../lib/cli/main';
import { parseEmulatorOptions } from '../../lib/cli/emulator';
import { startTestEmulator } from '../helpers/emulator';

let output: string[];
let errors: string[];
beforeEach(() => {
  output = [];
  errors = [];
  jest.spyOn(console, 'log').mockImplementation((text: string) => void output.push(text));
  jest.spyOn(console, 'error').mockImplementation((text: string) => void errors.push(text));
});
afterEach(() => jest.restoreAllMocks());

const run = (...args: string[]): Promise<number> => main(args, () => '1.2.3');

/** Waits for the first words of the emulator, or for its end. */
async function started(running?: Promise<number>): Promise<string> {
  const ends: number[] = [];
  void running?.then((code) => ends.push(code));
  while (output.length + ends.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return output.join('\n');
}

describe('express-salesforce-auth', () => {
  it('prints help and version', async () => {
    expect(await run('--help')).toBe(0);
    expect(await run('--version')).toBe(0);
    expect(await run('emulator', '--help')).toBe(0);

    expect(output[0]).toContain('Usage: express-salesforce-auth <command>');
    expect(output[1]).toBe('1.2.3');
    expect(output[2]).toContain('--rotate');
  });

  it.each([
    [['serve'], 'Unknown command "serve". Try --help.'],
    [['--nope'], 'Unknown option "--nope". Try --help.'],
    [['emulator', '--nope'], `Unknown option '--nope'. Try "emulator --help".`],
    [['emulator', 'extra'], `Unexpected argument 'extra'. Try "emulator --help".`],
    [['emulator', '--port', 'many'], '--port must be a whole number up to 65535. Try "emulator --help".'],
    [['emulator', '--port'], /--port.* Try "emulator --help"\.$/],
    [['emulator', '--callback', '/auth'], '--callback "/auth" is not an absolute URL. Try "emulator --help".'],
    [
      ['emulator', '--callback', 'localhost:3000/cb'],
      '--callback "localhost:3000/cb" has no scheme. Did you mean "http://localhost:3000/cb"? Try "emulator --help".',
    ],
    [
      ['emulator', '--callback', 'http://localhost:3000/cb '],
      /^--callback "http:\S+ " begins or ends with a blank or a line break\./,
    ],
    [
      ['emulator', '--public', '--client-secret', 'x'],
      '--public and --client-secret exclude each other. Try "emulator --help".',
    ],
    [
      ['emulator', '--session-timeout', '0'],
      '--session-timeout must be a whole number from 1 to 86400. Try "emulator --help".',
    ],
    [['emulator', '--api-port', '-1'], /--api-port/],
    [['emulator', '--host', ''], '--host must not be empty. Try "emulator --help".'],
    [['emulator', '--client-id', ''], '--client-id must not be empty. Try "emulator --help".'],
    [['emulator', '--client-secret', ''], '--client-secret must not be empty. Try "emulator --help".'],
    [['emulator', '--client-secret', 'a\nb'], /^--client-id, --client-secret and --callback take no line breaks/],
    [['emulator', '--client-id', `'"\``], /^--client-id, --client-secret and --callback take no line breaks/],
  ])('refuses %j with exit code 2', async (args, message) => {
    expect(await run(...args)).toBe(2);

    expect(output).toEqual([]);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toEqual(typeof message === 'string' ? message : expect.stringMatching(message));
  });

  it('shows help and exit code 2 without a command', async () => {
    expect(await run()).toBe(2);
    expect(errors[0]).toContain('Usage');
  });

  it('says in one line that a port is in use', async () => {
    const { port } = new URL((await startTestEmulator()).url);

    expect(await run('emulator', '--port', port)).toBe(1);
    expect(errors).toEqual([`Port ${port} is in use. Choose another port with --port.`]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('runs until %s and prints all an app needs', async (name) => {
    const running = run(
      'emulator',
      '--port',
      '0',
      '--callback',
      'http://localhost:3000/one',
      '--callback',
      'http://localhost:3000/two',
    );
    const text = await started();
    const url = /SALESFORCE_BASE_URL=(\S+)/.exec(text)![1]!;
    const page = await (await fetch(url)).text();
    process.emit(name);

    expect(await running).toBe(0);
    expect(page).toContain('Salesforce emulator');
    expect(page).toContain('href="/console"');
    expect(text).toContain(`${url}/console`);
    expect(text).toMatch(/SALESFORCE_CLIENT_ID=3MVG9\S+/);
    expect(text).toMatch(/SALESFORCE_CLIENT_SECRET=__fake\S+/);
    expect(text).toContain('SALESFORCE_CALLBACK_URL=http://localhost:3000/two');
    expect(text).toContain('ada@acme.example / __fake_password_1__');
    await expect(fetch(url)).rejects.toThrow();
  });
});

describe('--https', () => {
  it('prints the line that makes Node.js trust the emulator, and deletes the certificate at the end', async () => {
    const running = run('emulator', '--port', '0', '--https');
    const text = await started();
    const path = /NODE_EXTRA_CA_CERTS=(\S+)/.exec(text)![1]!;
    const certificate = readFileSync(path, 'utf8');
    process.emit('SIGINT');

    expect(await running).toBe(0);
    expect(text).toMatch(/SALESFORCE_BASE_URL=https:\/\/localhost:\d+/);
    expect(certificate).toContain('-----BEGIN CERTIFICATE-----');
    expect(() => readFileSync(path)).toThrow('ENOENT');
  });
});

describe('--dotenv', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'emulator-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const runOn = async (port: string, file: string): Promise<number> => {
    output.length = 0;
    const callbacks = ['--callback', 'http://localhost:3000/one', '--callback', 'http://localhost:3000/two'];
    const running = run('emulator', '--port', port, '--dotenv', file, ...callbacks);
    await started(running);
    process.emit('SIGINT');
    return running;
  };

  it('writes the settings of an app, and accepts the same file at the next start', async () => {
    const file = join(folder, '.env');

    expect(await runOn('0', file)).toBe(0);
    const text = readFileSync(file, 'utf8');
    const { port } = new URL(/^SALESFORCE_BASE_URL=(.*)$/m.exec(text)![1]!);
    expect(await runOn(port, file)).toBe(0);

    expect(output.join('\n')).toContain(`node --env-file=${file} <your app>`);
    expect(
      text
        .trim()
        .split('\n')
        .map((line) => line.split('=')[0]),
    ).toEqual(['SALESFORCE_BASE_URL', 'SALESFORCE_CLIENT_ID', 'SALESFORCE_CLIENT_SECRET', 'SALESFORCE_CALLBACK_URL']);
    expect(text).toContain('SALESFORCE_CALLBACK_URL=http://localhost:3000/one\n');
    expect(readFileSync(file, 'utf8')).toBe(text);
  });

  it('does not overwrite a file with other content', async () => {
    const file = join(folder, '.env');
    writeFileSync(file, 'DATABASE_URL=mine\n');

    expect(await runOn('0', file)).toBe(1);
    expect(errors).toEqual([`${file} exists already and has other content. Name another file, or delete this one.`]);
    expect(readFileSync(file, 'utf8')).toBe('DATABASE_URL=mine\n');
    errors.length = 0;
    expect(await runOn('0', join(folder, 'nowhere', '.env'))).toBe(1);
    expect(errors[0]).toMatch(/^The settings could not be written: ENOENT/);
  });

  it('says in one line that the path is a folder', async () => {
    expect(await run('emulator', '--port', '0', '--dotenv', folder)).toBe(1);
    expect(errors).toEqual([`The settings could not be written: ${folder} exists already and is not a file.`]);
  });

  it('says in one line that the path is a link to nothing', async () => {
    symlinkSync(join(folder, 'nothing'), join(folder, 'link'));

    expect(await run('emulator', '--port', '0', '--dotenv', join(folder, 'link'))).toBe(1);
    expect(errors).toEqual([expect.stringMatching(/^The settings could not be written: ENOENT/)]);
  });

  it.each<[what: string, secret: string, id: string, callback: string]>([
    ['a number sign', 'ab#cd', 'id#1', 'http://localhost:3000/cb?x=a#b'],
    ['blanks', ' a b ', ' id', 'http://localhost:3000/a b'],
    ['single quotes', `'it's'`, `i'd`, `http://localhost:3000/it's`],
    ['both quotes', `it's "x"`, `"i'd"`, `http://localhost:3000/'"`],
    ['a backslash and a dollar sign', 'a\\nb$HOME', '$id\\', 'http://localhost:3000/$x'],
    ['backticks', '`ab`', 'i`d', 'http://localhost:3000/`'],
    ['single quotes and backticks', "'`", "i`'d", "http://localhost:3000/`'"],
    ['an equals sign', '=a=b', 'i=d', 'http://localhost:3000/?a=b&c=d'],
  ])('writes values with %s as node --env-file reads them', async (_what, secret, id, callback) => {
    const file = join(folder, `it's a file.env`);
    const values = ['--client-secret', secret, '--client-id', id, '--callback', callback];
    const running = run('emulator', '--port', '0', '--dotenv', file, ...values);
    await started(running);
    process.emit('SIGINT');
    expect(await running).toBe(0);

    const command = /node --env-file=.*(?= <your app>)/.exec(output.join('\n'))![0];
    const script = 'console.log(JSON.stringify(process.env))';
    const text = execFileSync('/bin/sh', ['-c', `${command} -e '${script}'`], { env: { PATH: process.env['PATH'] } });

    expect(JSON.parse(text.toString())).toMatchObject({
      SALESFORCE_CLIENT_SECRET: secret,
      SALESFORCE_CLIENT_ID: id,
      SALESFORCE_CALLBACK_URL: callback,
    });
  });
});

describe('parseEmulatorOptions', () => {
  it('has the same defaults at every start', () => {
    expect(parseEmulatorOptions([])).toEqual(parseEmulatorOptions([]));
    expect(parseEmulatorOptions([])).toMatchObject({
      port: 4400,
      callbackURLs: ['http://localhost:3000/auth/salesforce/callback'],
      policy: {},
    });
  });

  it('registers an app of before July 2026 with --legacy', () => {
    expect(parseEmulatorOptions(['--legacy'])).toMatchObject({ app: 'legacy' });
  });

  it('turns options into policy', () => {
    expect(
      parseEmulatorOptions(['--rotate', '--jwt', '--pkce', '--public', '--my-domain', '--session-timeout', '60']),
    ).toMatchObject({
      policy: { rotateRefreshTokens: true, accessTokenFormat: 'jwt', requirePkce: true },
      clientSecret: false,
      instance: 'my-domain',
      sessionTimeoutSeconds: 60,
    });
  });
});
