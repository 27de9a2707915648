import { generateKeyPairSync } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { systemClock } from '../clock';
import { selfSignedCertificate } from '../crypto/certificate';
import { readArguments, readCommand } from './arguments';
import { keyHelp } from './help';

const dayMs = 24 * 60 * 60 * 1000;

interface KeyArguments {
  /** Path of both files, without their ending. */
  out: string;
  name: string;
  days: number;
  bits: number;
}

/** Makes a key pair, and a certificate for Setup. @returns 0 done, 1 a file could not be written, 2 it was not understood */
export async function runKey(args: readonly string[]): Promise<number> {
  const given = readCommand({ name: 'key', help: keyHelp, parse: parseKeyArguments }, args);
  if (typeof given === 'number') return given;
  const { out, name, days, bits } = given;
  const paths = { key: `${out}.key`, certificate: `${out}.crt` };
  const taken = Object.values(paths).find((path) => existsSync(path));
  if (taken !== undefined) {
    console.error(`${taken} is there already, and is left as it is. Name other files with --out.`);
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
    `${key}  the private key: for your application alone, and for no repository`,
    `${certificate}  the certificate, good until ${end.toISOString().slice(0, 10)}: for Salesforce`,
    '',
    `In Setup: External Client App Manager, your app, Settings, OAuth Settings: upload ${certificate} where it asks for a`,
    'certificate or a digital signature. It can take ten minutes to work.',
    '',
    'In your application, in place of clientSecret:',
    `  clientKey: { key: readFileSync('${key}', 'utf8'), certificate: readFileSync('${certificate}', 'utf8') }`,
  ].join('\n');
}

/** Reads the command line. @throws Error with a sentence for the person who typed it */
function parseKeyArguments(args: readonly string[]): KeyArguments | 'help' {
  const { values } = readArguments(() => parseStrictly(args));
  if (values.help) return 'help';
  const { out = 'salesforce', name = 'Salesforce client', days = '365', bits = '2048' } = values;
  if (out === '' || /[/\\]$/.test(out))
    throw new Error('--out has to be a path without an ending, such as keys/salesforce.');
  if (name.trim() === '' || name.length > 64) throw new Error('--name has to have 1 to 64 characters.');
  if (!/^\d{1,4}$/.test(days) || Number(days) < 1 || Number(days) > 3650) {
    throw new Error('--days has to be a number from 1 to 3650.');
  }
  if (!['2048', '3072', '4096'].includes(bits)) throw new Error('--bits has to be 2048, 3072 or 4096.');
  return { out, name, days: Number(days), bits: Number(bits) };
}

/** Not exported, because its type is what parseArgs makes of the options. */
function parseStrictly(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      out: { type: 'string' },
      name: { type: 'string' },
      days: { type: 'string' },
      bits: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}
