import { generateKeyPairSync } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { systemClock } from '../clock';
import { selfSignedCertificate } from '../crypto/certificate';
import { readArguments, readCommand } from './arguments';
import { keyHelp } from './help';

const dayMs = 24 * 60 * 60 * 1000;

const argumentOptions = {
  out: { type: 'string' },
  name: { type: 'string' },
  days: { type: 'string' },
  bits: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

interface KeyArguments {
  /** Path of both files, without the extension. */
  out: string;
  name: string;
  days: number;
  bits: number;
}

/**
 * Makes a key pair, and a certificate for Setup.
 *
 * @returns 0: done; 1: a file could not be written; 2: the command was not understood
 */
export async function runKey(args: readonly string[]): Promise<number> {
  const command = readCommand({ name: 'key', help: keyHelp, parse: parseKeyArguments }, args);
  if (typeof command === 'number') return command;
  const { out, name, days, bits } = command;
  const paths = { key: `${out}.key`, certificate: `${out}.crt` };
  const taken = Object.values(paths).find((path) => existsSync(path));
  if (taken !== undefined) {
    console.error(`${taken} exists already and was not changed. Name other files with --out.`);
    return 1;
  }
  const now = systemClock.now();
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  const certificate = selfSignedCertificate(privateKey, {
    commonName: name,
    notBefore: now - 60 * 60 * 1000,
    notAfter: now + days * dayMs,
    isAuthority: false,
    extensions: [],
  });
  try {
    writeFileSync(paths.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { flag: 'wx', mode: 0o600 });
    writeFileSync(paths.certificate, certificate, { flag: 'wx' });
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && path === paths.certificate) rmSync(paths.key, { force: true });
    console.error(`${path ?? out} could not be written (${code ?? 'unknown'}).`);
    return 1;
  }
  console.log(describe(paths, new Date(now + days * dayMs)));
  return Promise.resolve(0);
}

function describe({ key, certificate }: { key: string; certificate: string }, end: Date): string {
  return [
    `${key}  the private key: for your application only; never commit it to a repository`,
    `${certificate}  the certificate, valid until ${end.toISOString().slice(0, 10)}: for Salesforce`,
    '',
    `In Setup, open External Client App Manager › your app › Settings › OAuth Settings. Upload ${certificate} at the field for a`,
    'certificate or digital signature. The change can take ten minutes.',
    '',
    'In your application, in place of clientSecret:',
    `  clientKey: { key: readFileSync('${key}', 'utf8'), certificate: readFileSync('${certificate}', 'utf8') }`,
  ].join('\n');
}

/** Reads the command line. @throws Error whose message is a sentence for the operator */
function parseKeyArguments(args: readonly string[]): KeyArguments | 'help' {
  const values = readArguments(args, argumentOptions);
  if (values.help) return 'help';
  const { out = 'salesforce', name = 'Salesforce client', days = '365', bits = '2048' } = values;
  if (out === '' || /[/\\]$/.test(out))
    throw new Error('--out must be a path without an extension, such as keys/salesforce.');
  if (name.trim() === '' || name.length > 64) throw new Error('--name must have 1 to 64 characters.');
  if (!/^\d{1,4}$/.test(days) || Number(days) < 1 || Number(days) > 3650) {
    throw new Error('--days must be a number from 1 to 3650.');
  }
  if (!['2048', '3072', '4096'].includes(bits)) throw new Error('--bits must be 2048, 3072 or 4096.');
  return { out, name, days: Number(days), bits: Number(bits) };
}
