import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEmulatorOptions } from '../../lib/cli/emulator';
import { main } from '../../lib/cli/main';
import { startTestEmulator } from '../helpers/emulator';

let folder: string;
let printed: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'client-key-'));
  printed = [];
  for (const name of ['log', 'error'] as const) {
    jest.spyOn(console, name).mockImplementation((...line: unknown[]) => void printed.push(line.join(' ')));
  }
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  jest.restoreAllMocks();
});

const key = (...args: string[]): Promise<number> => main(['key', ...args], () => '0');

it('makes a key that belongs to its certificate, readable for its owner alone', async () => {
  const out = join(folder, 'salesforce');

  expect(await key('--out', out, '--name', 'My app', '--days', '30', '--bits', '3072')).toBe(0);

  const privateKey = createPrivateKey(readFileSync(`${out}.key`));
  const certificate = new X509Certificate(readFileSync(`${out}.crt`));
  expect(certificate.checkPrivateKey(privateKey)).toBe(true);
  expect(privateKey.asymmetricKeyDetails!.modulusLength).toBe(3072);
  expect(certificate.subject).toBe('CN=My app');
  expect(printed.join('\n')).toContain(new Date(certificate.validTo).toISOString().slice(0, 10));
  expect(printed.join('\n')).not.toContain('PRIVATE KEY');
  expect(statSync(`${out}.key`).mode & 0o077).toBe(0);
});

it.each(['key', 'crt'])('overwrites no file: .%s', async (ending) => {
  const out = join(folder, 'salesforce');
  writeFileSync(`${out}.${ending}`, 'mine');

  expect(await key('--out', out)).toBe(1);

  expect(readFileSync(`${out}.${ending}`, 'utf8')).toBe('mine');
  expect(() => statSync(`${out}.${ending === 'key' ? 'crt' : 'key'}`)).toThrow();
  expect(printed.join('\n')).toContain('exists already');
});

it('says what cannot be written', async () => {
  expect(await key('--out', join(folder, 'no-such-folder', 'salesforce'))).toBe(1);
  expect(printed.join('\n')).toContain('ENOENT');
});

it.each([
  [['--days', '0'], '--days'],
  [['--days', '4000'], '--days'],
  [['--bits', '1024'], '--bits'],
  [['--name', ''], '--name'],
  [['--out', 'keys/'], '--out'],
  [['--size', '1'], '--size'],
])('refuses %j', async (args, part) => {
  expect(await key(...args)).toBe(2);
  expect(printed.join('\n')).toContain(part);
});

it('makes a certificate that the emulator takes on the command line', async () => {
  const out = join(folder, 'salesforce');
  await key('--out', out);

  const options = parseEmulatorOptions(['--certificate', `${out}.crt`]);

  expect(options).toMatchObject({ certificate: readFileSync(`${out}.crt`, 'utf8') });
  const emulator = await startTestEmulator({ ...(options as object), port: 0 });
  const { publicKey } = emulator.clients[0]!;
  expect(publicKey).toEqual(createPublicKey(readFileSync(`${out}.key`)).export({ format: 'jwk' }));
});

it.each(['no-such-file.crt', __filename])('says that %s is no certificate for the emulator', (path) => {
  expect(() => parseEmulatorOptions(['--certificate', path])).toThrow('cannot be read, or is not a certificate');
});

it('has a help', async () => {
  expect(await key('--help')).toBe(0);
  expect(printed.join('\n')).toContain('--days <number>');
});
