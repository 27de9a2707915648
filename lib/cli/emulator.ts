import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator';
import { callbackProblem } from '../emulator/state/clients';
import { readArguments, readCommand } from './arguments';
import { emulatorHelp } from './help';

const defaultPort = 4400;
const defaultCallbackURL = 'http://localhost:3000/auth/salesforce/callback';
/** The same at every start, so that the settings of an app remain valid. */
const defaultClientID = '3MVG9__fake__emulator_client_id__';
const defaultClientSecret = '__fake_emulator_client_secret__';

const argumentOptions = {
  port: { type: 'string' },
  host: { type: 'string' },
  callback: { type: 'string', multiple: true },
  'client-id': { type: 'string' },
  'client-secret': { type: 'string' },
  certificate: { type: 'string' },
  public: { type: 'boolean' },
  legacy: { type: 'boolean' },
  pkce: { type: 'boolean' },
  rotate: { type: 'boolean' },
  jwt: { type: 'boolean' },
  'api-port': { type: 'string' },
  'my-domain': { type: 'boolean' },
  https: { type: 'boolean' },
  'session-timeout': { type: 'string' },
  dotenv: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Options of the emulator, and the file for the settings of the app. */
interface CommandOptions extends EmulatorOptions {
  dotenv?: string | undefined;
}

/** Runs the emulator until SIGINT or SIGTERM. @returns the exit code */
export async function runEmulator(args: readonly string[]): Promise<number> {
  const options = readCommand({ name: 'emulator', help: emulatorHelp, parse: parseEmulatorOptions }, args);
  if (typeof options === 'number') return options;
  let emulator: Emulator;
  try {
    const { dotenv: _dotenv, ...ofEmulator } = options;
    emulator = await startEmulator(ofEmulator);
  } catch (error) {
    console.error(explainFailedStart(error, options));
    return 1;
  }
  const isWritten = options.dotenv === undefined || writeSettings(options.dotenv, emulator);
  if (isWritten) {
    const certificate = emulator.certificate === undefined ? undefined : writeCertificate(emulator.certificate);
    console.log(describeEmulator(emulator, options.dotenv, certificate?.path));
    await stopSignal();
    certificate?.remove();
  }
  await emulator.stop();
  return isWritten ? 0 : 1;
}

/** Writes the certificate to a temporary file for NODE_EXTRA_CA_CERTS. The file is needed while the emulator runs. */
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

/** Writes the settings to a new file. A file that has the same settings already is fine as well. */
function writeSettings(path: string, emulator: Emulator): boolean {
  // An app uses one callback URL, even if the client has several.
  const text = `${settingsOf(emulator, 1).join('\n')}\n`;
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
    if (exists && readFileSync(path, 'utf8') === text) return true;
    console.error(
      exists
        ? `${path} exists already and has other content. Name another file, or delete this one.`
        : `The settings could not be written: ${(error as Error).message}`,
    );
    return false;
  }
}

/** Reads the command line. @throws Error whose message is a sentence for the operator */
export function parseEmulatorOptions(args: readonly string[]): CommandOptions | 'help' {
  const values = readArguments(args, argumentOptions);
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

/** @throws Error whose message is a sentence for the operator */
function readCertificate(path: string): string {
  try {
    return new X509Certificate(readFileSync(path)).toString();
  } catch {
    throw new Error(`--certificate "${path}" cannot be read, or is not a certificate.`);
  }
}

/** The text that is printed at the start. It has all settings that the app needs. */
function describeEmulator(emulator: Emulator, dotenv: string | undefined, certificate: string | undefined): string {
  const { url, siteUrl, apiUrl, users } = emulator;
  return [
    `Salesforce emulator at ${url}`,
    `Experience Cloud site at ${siteUrl}`,
    ...(apiUrl === undefined ? [] : [`APIs off the instance at ${apiUrl}; name ${new URL(apiUrl).host} in apiHosts`]),
    `Console with live requests at ${url}/console`,
    '',
    `Settings for your app${dotenv === undefined ? '' : `, also in ${dotenv}: node --env-file=${dotenv} <your app>`}`,
    ...settingsOf(emulator).map((line) => `  ${line}`),
    ...(certificate === undefined
      ? []
      : [
          '',
          'Set this variable in the environment of your app, so that Node.js trusts the certificate of the emulator',
          `  NODE_EXTRA_CA_CERTS=${certificate}`,
        ]),
    '',
    'Users (username / password); one click on the login page logs a user in',
    ...users.map(({ username, password }) => `  ${username} / ${password}`),
    '',
    'Ctrl+C stops the emulator.',
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

/** The port of an app on this machine. The app must listen on the port of its callback URL. */
function portOf(callbackURL = defaultCallbackURL): string[] {
  const { hostname, port } = new URL(callbackURL);
  return hostname === 'localhost' && port !== '' && port !== '3000' ? [`PORT=${port}`] : [];
}

function wholeNumber(name: string, text: string | undefined, max: number): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > max) throw new Error(`${name} must be a whole number up to ${max}.`);
  return number;
}

function explainFailedStart(error: unknown, { port, host, apiPort }: EmulatorOptions): string {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE' && taken !== undefined && taken === apiPort) {
    return `Port ${taken} is in use. Choose another port with --api-port.`;
  }
  if (code === 'EADDRINUSE') return `Port ${String(port)} is in use. Choose another port with --port.`;
  if (code === 'EACCES')
    return `This user is not allowed to listen on port ${String(port)}. Choose another port with --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `This machine has no address "${String(host)}".`;
  return `The emulator could not start: ${(error as Error).message}`;
}

/** Resolves when the process receives SIGINT or SIGTERM. */
function stopSignal(): Promise<void> {
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
