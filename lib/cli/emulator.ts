import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator';
import { callbackProblem } from '../emulator/state/clients';
import { readArguments, readCommand } from './arguments';
import { emulatorHelp } from './help';
import { isWritable, settingLine, shellWord, writeSettings } from './settings-file';

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
  const problem = await runUntilStopped(emulator, options.dotenv);
  await emulator.stop();
  if (problem === undefined) return 0;
  console.error(problem);
  return 1;
}

/** Writes what an app needs, and waits for the end. @returns a sentence that says what could not be written */
async function runUntilStopped(emulator: Emulator, dotenv: string | undefined): Promise<string | undefined> {
  const problem = dotenv === undefined ? undefined : writeSettings(dotenv, settingsOf(emulator, 1));
  if (problem !== undefined) return problem;
  let certificate: ReturnType<typeof writeCertificate> | undefined;
  try {
    certificate = emulator.certificate === undefined ? undefined : writeCertificate(emulator.certificate);
  } catch (error) {
    return `The certificate could not be written to a temporary file: ${(error as Error).message}`;
  }
  console.log(describeEmulator(emulator, dotenv, certificate?.path));
  await stopSignal();
  certificate?.remove();
  return undefined;
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

/** Reads the command line. @throws Error whose message is a sentence for the operator */
export function parseEmulatorOptions(args: readonly string[]): CommandOptions | 'help' {
  const values = readArguments(args, argumentOptions);
  if (values.help) return 'help';
  for (const name of ['host', 'client-id', 'client-secret'] as const) {
    if (values[name] === '') throw new Error(`--${name} must not be empty.`);
  }
  const callbackURLs = values.callback ?? [defaultCallbackURL];
  for (const url of callbackURLs) {
    const problem = callbackProblem(url);
    if (problem !== undefined) throw new Error(`--callback "${url}" ${problem}`);
  }
  const { 'client-id': clientID, 'client-secret': clientSecret } = values;
  if (![clientID, clientSecret, ...callbackURLs].every((value) => value === undefined || isWritable(value))) {
    throw new Error(`--client-id, --client-secret and --callback take no line breaks, and not all of ', " and \`.`);
  }
  if (values.public && clientSecret !== undefined) {
    throw new Error('--public and --client-secret exclude each other.');
  }
  return {
    port: wholeNumber('--port', values.port, [0, 65535]) ?? defaultPort,
    host: values.host,
    apiPort: wholeNumber('--api-port', values['api-port'], [0, 65535]),
    callbackURLs,
    clientID: clientID ?? defaultClientID,
    ...(values.certificate === undefined ? {} : { certificate: readCertificate(values.certificate) }),
    clientSecret: values.public ? false : (clientSecret ?? defaultClientSecret),
    sessionTimeoutSeconds: wholeNumber('--session-timeout', values['session-timeout'], [1, 86400]),
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
    `Settings for your app${dotenv === undefined ? '' : `, also in ${dotenv}: node --env-file=${shellWord(dotenv)} <your app>`}`,
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

/** The settings as lines of a file of variables. An app uses one callback URL, even if the client has several. */
function settingsOf({ url, clients: [client] }: Emulator, maxCallbackURLs = Infinity): string[] {
  const { clientID = '', clientSecret = '', callbackURLs = [] } = client ?? {};
  return [
    settingLine('SALESFORCE_BASE_URL', url),
    settingLine('SALESFORCE_CLIENT_ID', clientID),
    ...(clientSecret === '' ? [] : [settingLine('SALESFORCE_CLIENT_SECRET', clientSecret)]),
    ...callbackURLs.slice(0, maxCallbackURLs).map((callbackURL) => settingLine('SALESFORCE_CALLBACK_URL', callbackURL)),
    ...portOf(callbackURLs[0]),
  ];
}

/** The port of an app on this machine. The app must listen on the port of its callback URL. */
function portOf(callbackURL = defaultCallbackURL): string[] {
  const { hostname, port } = new URL(callbackURL);
  return hostname === 'localhost' && port !== '' && port !== '3000' ? [`PORT=${port}`] : [];
}

function wholeNumber(name: string, text: string | undefined, [min, max]: [number, number]): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= min && number <= max) return number;
  throw new Error(`${name} must be a whole number ${min === 0 ? 'up to' : `from ${min} to`} ${max}.`);
}

function explainFailedStart(error: unknown, { port, host, apiPort }: EmulatorOptions): string {
  const { code, port: taken } = error as NodeJS.ErrnoException & { port?: number };
  if (code === 'EADDRINUSE' && taken !== undefined && taken === apiPort) {
    return `Port ${taken} is in use. Choose another port with --api-port.`;
  }
  if (code === 'EADDRINUSE') return `Port ${String(port)} is in use. Choose another port with --port.`;
  if (code === 'EACCES')
    return `This user is not allowed to listen on port ${String(port)}. Choose another port with --port.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `This machine has no address "${String(host)}".`;
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
