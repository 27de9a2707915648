import { parseArgs } from 'node:util';
import { startEmulator, type Emulator, type EmulatorOptions } from '../emulator';
import { readArguments } from './arguments';
import { emulatorHelp } from './help';

const defaultPort = 4400;
const defaultCallbackURL = 'http://localhost:3000/auth/salesforce/callback';
/** The same at every start, so that the settings of an app keep working. */
const defaultClientID = '3MVG9__fake__emulator_client_id__';
const defaultClientSecret = '__fake_emulator_client_secret__';

/** Runs the emulator until SIGINT or SIGTERM. @returns the exit code */
export async function runEmulator(args: readonly string[]): Promise<number> {
  let options: EmulatorOptions | 'help';
  try {
    options = parseEmulatorOptions(args);
  } catch (error) {
    console.error(`${(error as Error).message} Try "emulator --help".`);
    return 2;
  }
  if (options === 'help') {
    console.log(emulatorHelp);
    return 0;
  }
  let emulator: Emulator;
  try {
    emulator = await startEmulator(options);
  } catch (error) {
    console.error(explainStart(error, options));
    return 1;
  }
  console.log(describeEmulator(emulator));
  await signal();
  await emulator.stop();
  return 0;
}

/** Reads the command line. @throws Error with a sentence for the person who typed it */
export function parseEmulatorOptions(args: readonly string[]): EmulatorOptions | 'help' {
  const { values } = readArguments(() => parseStrictly(args));
  if (values.help) return 'help';
  const callbackURLs = values.callback ?? [defaultCallbackURL];
  for (const url of callbackURLs) {
    if (!URL.canParse(url)) throw new Error(`--callback "${url}" is not an absolute URL.`);
  }
  if (values.public && values['client-secret'] !== undefined) {
    throw new Error('--public and --client-secret exclude each other.');
  }
  return {
    port: wholeNumber('--port', values.port, 65535) ?? defaultPort,
    host: values.host,
    callbackURLs,
    clientID: values['client-id'] ?? defaultClientID,
    clientSecret: values.public ? false : (values['client-secret'] ?? defaultClientSecret),
    sessionTimeoutSeconds: wholeNumber('--session-timeout', values['session-timeout'], 86400),
    console: true,
    instance: values['my-domain'] ? 'my-domain' : 'login-host',
    policy: {
      ...(values.pkce ? { requirePkce: true } : {}),
      ...(values.rotate ? { rotateRefreshTokens: true } : {}),
      ...(values.jwt ? { accessTokenFormat: 'jwt' as const } : {}),
    },
  };
}

/** What is printed at the start: all that has to be copied into the app. */
function describeEmulator({ url, siteUrl, clients, users }: Emulator): string {
  const client = clients[0];
  const secret = client?.clientSecret;
  return [
    `Salesforce emulator at ${url}`,
    `Experience Cloud site at ${siteUrl}`,
    `Console, with requests as they come, at ${url}/console`,
    '',
    'Settings for your app',
    `  SALESFORCE_BASE_URL=${url}`,
    `  SALESFORCE_CLIENT_ID=${client?.clientID ?? ''}`,
    ...(secret === undefined || secret === '' ? [] : [`  SALESFORCE_CLIENT_SECRET=${secret}`]),
    ...(client?.callbackURLs ?? []).map((callbackURL) => `  SALESFORCE_CALLBACK_URL=${callbackURL}`),
    '',
    'Users (username / password)',
    ...users.map(({ username, password }) => `  ${username} / ${password}`),
    '',
    'Ctrl+C stops it.',
  ].join('\n');
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
      callback: { type: 'string', multiple: true },
      'client-id': { type: 'string' },
      'client-secret': { type: 'string' },
      public: { type: 'boolean' },
      pkce: { type: 'boolean' },
      rotate: { type: 'boolean' },
      jwt: { type: 'boolean' },
      'my-domain': { type: 'boolean' },
      'session-timeout': { type: 'string' },
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

function explainStart(error: unknown, { port, host }: EmulatorOptions): string {
  const code = (error as NodeJS.ErrnoException).code;
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
