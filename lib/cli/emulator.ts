import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator';
import { callbackProblem } from '../emulator/state/clients';
import { readArguments, readCommand } from './arguments';
import { emulatorHelp } from './help';

const defaultPort = 4400;
const defaultCallbackURL = 'http://localhost:3000/auth/salesforce/callback';
/** The same at every start, so that the settings of an app keep working. */
const defaultClientID = '3MVG9__fake__emulator_client_id__';
const defaultClientSecret = '__fake_emulator_client_secret__';

/** What the command line says: options of the emulator, and where to write the settings of the app. */
interface CommandOptions extends EmulatorOptions {
  dotenv?: string | undefined;
}

/** Runs the emulator until SIGINT or SIGTERM. @returns the exit code */
export async function runEmulator(args: readonly string[]): Promise<number> {
  const options = readCommand({ name: 'emulator', help: emulatorHelp, parse: parseEmulatorOptions }, args);
  if (typeof options === 'number') return options;
  let emulator: Emulator;
  try {
    emulator = await startEmulator(options);
  } catch (error) {
    console.error(explainStart(error, options));
    return 1;
  }
  const isWritten = options.dotenv === undefined || writeSettings(options.dotenv, emulator);
  if (isWritten) {
    const certificate = emulator.certificate === undefined ? undefined : writeCertificate(emulator.certificate);
    console.log(describeEmulator(emulator, options.dotenv, certificate?.path));
    await signal();
    certificate?.remove();
  }
  await emulator.stop();
  return isWritten ? 0 : 1;
}

/** Writes the certificate where Node can read it; it is of use as long as the emulator runs. */
function writeCertificate(certificate: string): { path: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'salesforce-emulator-'));
  const path = join(folder, 'certificate.pem');
  writeFileSync(path, certificate);
  return {
    path,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Writes the settings to a file that is new, or has them already. */
function writeSettings(path: string, emulator: Emulator): boolean {
  // Of several callback URLs, an app uses one.
  const text = `${settingsOf(emulator, 1).join('\n')}\n`;
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (exists && readFileSync(path, 'utf8') === text) return true;
    console.error(
      exists
        ? `${path} is there already, with something else in it. Name another file, or delete it.`
        : `The settings could not be written: ${(error as Error).message}`,
    );
    return false;
  }
}

/** Reads the command line. @throws Error with a sentence for the person who typed it */
export function parseEmulatorOptions(args: readonly string[]): CommandOptions | 'help' {
  const { values } = readArguments(() => parseStrictly(args));
  if (values.help) return 'help';
  const callbackURLs = values.callback ?? [defaultCallbackURL];
  for (const url of callbackURLs) {
    const problem = callbackProblem(url);
    if (problem !== undefined) throw new Error(`--callback "${url}" ${problem}`);
  }
  if (values.public && values['client-secret'] !== undefined) {
    throw new Error('--public and --client-secret exclude each other.');
  }
  return {
    port: wholeNumber('--port', values.port, 65535) ?? defaultPort,
    host: values.host,
    apiPort: wholeNumber('--api-port', values['api-port'], 65535),
    callbackURLs,
    clientID: values['client-id'] ?? defaultClientID,
    ...(values.certificate === undefined ? {} : { certificate: readCertificate(values.certificate) }),
    clientSecret: values.public ? false : (values['client-secret'] ?? defaultClientSecret),
    sessionTimeoutSeconds: wholeNumber('--session-timeout', values['session-timeout'], 86400),
    console: true,
    https: values.https ?? false,
    ...(values.legacy ? { app: 'legacy' as const } : {}),
    ...(values.dotenv === undefined ? {} : { dotenv: values.dotenv }),
    instance: values['my-domain'] ? 'my-domain' : 'login-host',
    policy: {
      ...(values.pkce ? { requirePkce: true } : {}),
      ...(values.rotate ? { rotateRefreshTokens: true } : {}),
      ...(values.jwt ? { accessTokenFormat: 'jwt' as const } : {}),
    },
  };
}

/** @throws Error with a sentence for the person who typed the path */
function readCertificate(path: string): string {
  try {
    return new X509Certificate(readFileSync(path)).toString();
  } catch {
    throw new Error(`--certificate "${path}" cannot be read, or is no certificate.`);
  }
}

/** What is printed at the start: all that has to be copied into the app. */
function describeEmulator(emulator: Emulator, dotenv: string | undefined, certificate: string | undefined): string {
  const { url, siteUrl, apiUrl, users } = emulator;
  return [
    `Salesforce emulator at ${url}`,
    `Experience Cloud site at ${siteUrl}`,
    ...(apiUrl === undefined ? [] : [`APIs off the instance at ${apiUrl}; name ${new URL(apiUrl).host} in apiHosts`]),
    `Console, with requests as they come, at ${url}/console`,
    '',
    `Settings for your app${dotenv === undefined ? '' : `, also in ${dotenv}: node --env-file=${dotenv} <your app>`}`,
    ...settingsOf(emulator).map((line) => `  ${line}`),
    ...(certificate === undefined
      ? []
      : [
          '',
          'Node trusts its certificate with this variable in the environment of your app',
          `  NODE_EXTRA_CA_CERTS=${certificate}`,
        ]),
    '',
    'Users (username / password); a click on the login page is enough',
    ...users.map(({ username, password }) => `  ${username} / ${password}`),
    '',
    'Ctrl+C stops it.',
  ].join('\n');
}

function settingsOf({ url, clients: [client] }: Emulator, maxCallbackURLs = Infinity): string[] {
  const { clientID = '', clientSecret = '', callbackURLs = [] } = client ?? {};
  return [
    `SALESFORCE_BASE_URL=${url}`,
    `SALESFORCE_CLIENT_ID=${clientID}`,
    ...(clientSecret === '' ? [] : [`SALESFORCE_CLIENT_SECRET=${clientSecret}`]),
    ...callbackURLs.slice(0, maxCallbackURLs).map((callbackURL) => `SALESFORCE_CALLBACK_URL=${callbackURL}`),
    ...portOf(callbackURLs[0]),
  ];
}

/** The port of an application on this machine, which has to be the one of its callback URL. */
function portOf(callbackURL = defaultCallbackURL): string[] {
  const { hostname, port } = new URL(callbackURL);
  return hostname === 'localhost' && port !== '' && port !== '3000' ? [`PORT=${port}`] : [];
}

/** Not exported, because its type is what parseArgs makes of the options. */
function parseStrictly(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      'api-port': { type: 'string' },
      callback: { type: 'string', multiple: true },
      'client-id': { type: 'string' },
      'client-secret': { type: 'string' },
      certificate: { type: 'string' },
      public: { type: 'boolean' },
      legacy: { type: 'boolean' },
      pkce: { type: 'boolean' },
      rotate: { type: 'boolean' },
      jwt: { type: 'boolean' },
      'my-domain': { type: 'boolean' },
      https: { type: 'boolean' },
      'session-timeout': { type: 'string' },
      dotenv: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function wholeNumber(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > max) throw new Error(`${name} has to be a whole number up to ${max}.`);
  return number;
}

function explainStart(error: unknown, { port, host, apiPort }: EmulatorOptions): string {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE' && taken !== undefined && taken === apiPort) {
    return `Port ${taken} is in use. Choose another with --api-port.`;
  }
  if (code === 'EADDRINUSE') return `Port ${String(port)} is in use. Choose another with --port.`;
  if (code === 'EACCES') return `Port ${String(port)} may not be used by this user. Choose another with --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `This machine has no address "${String(host)}".`;
  return `The emulator could not start: ${(error as Error).message}`;
}

/** Resolves when somebody asks the process to stop. */
function signal(): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      resolve();
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
}
