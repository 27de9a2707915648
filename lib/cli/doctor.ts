import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock, within } from '../clock';
import { diagnose } from '../doctor/diagnose';
import { summarize, type DiagnoseOptions, type Diagnosis, type Finding } from '../doctor/findings';
import type { SalesforceAuthOptions } from '../middleware/options';
import { configurationFromEnv } from '../options/environment';
import { readArguments, readCommand } from './arguments';
import { formatDiagnosis } from './doctor-output';
import { doctorHelp } from './help';

const argumentOptions = {
  config: { type: 'string' },
  dotenv: { type: 'string' },
  origin: { type: 'string' },
  tenant: { type: 'string' },
  processes: { type: 'string' },
  rotation: { type: 'boolean' },
  app: { type: 'boolean' },
  'app-user': { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

interface DoctorArguments extends DiagnoseOptions {
  config: string | undefined;
  envFile: string | undefined;
  json: boolean;
  strict: boolean;
}

/** Checks a configuration and prints the findings. @returns 0: no problem; 1: problems; 2: the command was not understood */
export async function runDoctor(args: readonly string[]): Promise<number> {
  const command = readCommand({ name: 'doctor', help: doctorHelp, parse: parseDoctorArguments }, args);
  if (typeof command === 'number') return command;
  let diagnosis: Diagnosis;
  try {
    diagnosis = await diagnoseFrom(command);
  } catch (error) {
    console.error(redact((error as Error).message, process.env));
    return 2;
  }
  const isFine = diagnosis.ok && !(command.strict && diagnosis.findings.some(({ level }) => level === 'warning'));
  console.log(
    command.json
      ? JSON.stringify({ ...diagnosis, ok: isFine }, undefined, 2)
      : formatDiagnosis(diagnosis, {
          colors: process.stdout.isTTY && !process.env['NO_COLOR'],
          columns: process.stdout.isTTY ? process.stdout.columns : 100,
        }),
  );
  return isFine ? 0 : 1;
}

async function diagnoseFrom(command: DoctorArguments): Promise<Diagnosis> {
  const { config, envFile, json: _json, strict: _strict, ...options } = command;
  if (envFile !== undefined) {
    try {
      process.loadEnvFile(envFile);
    } catch {
      throw new Error(`The file ${envFile} cannot be read.`);
    }
  }
  if (config !== undefined) return diagnose(await loadInTime(config), options);
  const { findings } = await diagnose(configurationFromEnv(process.env), options);
  // Options from the environment have the default store, which is not the store of the application.
  const known = findings.filter(({ check }) => !/^(?:store|encryption-keys)/.test(check));
  return summarize([...known, storeUnknown]);
}

const storeUnknown: Finding = {
  check: 'store',
  level: 'unknown',
  message: 'The environment does not say where tokens are stored, or whether they are encrypted.',
  fix: 'Name the module that exports your options: --config ./salesforce.config.mjs',
};

/**
 * Imports a module. The build would compile a plain import() to require(), which cannot load ESM on every Node.js 20; the
 * build leaves this text alone.
 */
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- the text is constant
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>;

/** A module that takes longer counts as a module that waits for ever. */
const loadTimeoutMs = 10_000;

function loadInTime(path: string): Promise<SalesforceAuthOptions> {
  const message = `${path} gave no options within ${loadTimeoutMs / 1000} seconds. See what the module or its function waits for.`;
  return within(systemClock, loadTimeoutMs, loadConfig(path), () => new Error(message));
}

const wantedExport = 'The default export must be the options of salesforceAuth(), or a function that returns them.';

/** Whether a module exports an Express application or a middleware: to call one means to send it a request. */
function isMiddleware(loaded: unknown): boolean {
  return typeof loaded === 'function' && ('handle' in loaded || loaded.length > 1);
}

/** Loads the options that a module exports by default. The export may also be a function that returns the options. */
async function loadConfig(path: string): Promise<SalesforceAuthOptions> {
  let loaded: unknown;
  try {
    const module = (await importModule(pathToFileURL(resolve(path)).href)) as { default?: unknown };
    // A module transpiled to CommonJS has its default export inside of `default`.
    loaded = (module.default as { default?: unknown } | undefined)?.default ?? module.default;
    if (typeof loaded === 'function' && !isMiddleware(loaded)) loaded = await (loaded as () => unknown)();
  } catch (error) {
    const { name, message } =
      error instanceof Error ? error : new Error('The module threw a value that is not an Error.');
    throw new Error(`${path} could not be loaded. ${name}: ${message}`, { cause: error });
  }
  if (typeof loaded !== 'object' || loaded === null) {
    const what = loaded === undefined ? 'has no default export' : 'exports something else by default';
    throw new Error(
      `${path} ${isMiddleware(loaded) ? 'exports an application or a middleware' : what}. ${wantedExport}`,
    );
  }
  return loaded as SalesforceAuthOptions;
}

/**
 * Removes possible secrets from a message that this package did not write: values of environment variables whose names say
 * secret, and passwords in URLs.
 */
function redact(text: string, env: Readonly<Record<string, string | undefined>>): string {
  const secrets = Object.entries(env)
    .filter(
      ([name, value]) =>
        /secret|password|passwd|token|key|credential|_ur[il]$|dsn/i.test(name) && (value?.length ?? 0) > 5,
    )
    .map(([, value]) => value as string)
    .sort((a, b) => b.length - a.length);
  return secrets
    .reduce((left, secret) => left.replaceAll(secret, '[redacted]'), text)
    .replace(/(\/\/[^\s/:]*):[^\s/]+@/g, '$1:[redacted]@');
}

/** Reads the command line. @throws Error whose message is a sentence for the operator */
function parseDoctorArguments(args: readonly string[]): DoctorArguments | 'help' {
  const values = readArguments(args, argumentOptions);
  if (values.help) return 'help';
  const { config, origin, tenant, processes, dotenv: envFile } = values;
  if (origin !== undefined && !(/^https?:\/\/[^/?#@\s]+$/i.test(origin) && URL.canParse(origin))) {
    throw new Error('--origin must be an origin, such as https://app.example.com.');
  }
  if (processes !== undefined && !/^[1-9]\d{0,4}$/.test(processes)) throw new Error('--processes must be a number.');
  return {
    config,
    envFile,
    origin,
    tenant,
    processes: processes === undefined ? undefined : Number(processes),
    rotation: values.rotation,
    ...(values.app || values['app-user'] !== undefined ? { app: { user: values['app-user'] } } : {}),
    json: values.json === true,
    strict: values.strict === true,
  };
}
