import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { diagnose } from '../doctor/diagnose';
import { summarize, type DiagnoseOptions, type Diagnosis, type Finding } from '../doctor/findings';
import type { SalesforceAuthOptions } from '../middleware/options';
import { configurationFromEnv } from '../options/environment';
import { readArguments, readCommand } from './arguments';
import { formatDiagnosis } from './doctor-output';
import { doctorHelp } from './help';

interface DoctorArguments extends DiagnoseOptions {
  config: string | undefined;
  envFile: string | undefined;
  json: boolean;
  strict: boolean;
}

/** Checks a configuration and prints what was found. @returns 0 no problem, 1 problems, 2 it was not understood */
export async function runDoctor(args: readonly string[]): Promise<number> {
  const given = readCommand({ name: 'doctor', help: doctorHelp, parse: parseDoctorArguments }, args);
  if (typeof given === 'number') return given;
  let diagnosis: Diagnosis;
  try {
    diagnosis = await examine(given);
  } catch (error) {
    console.error(redact((error as Error).message, process.env));
    return 2;
  }
  const isFine = diagnosis.ok && !(given.strict && diagnosis.findings.some(({ level }) => level === 'warning'));
  console.log(
    given.json
      ? JSON.stringify({ ...diagnosis, ok: isFine }, undefined, 2)
      : formatDiagnosis(diagnosis, {
          colours: process.stdout.isTTY && !process.env['NO_COLOR'],
          columns: process.stdout.isTTY ? process.stdout.columns : 100,
        }),
  );
  return isFine ? 0 : 1;
}

async function examine({ config, envFile, ...given }: DoctorArguments): Promise<Diagnosis> {
  if (envFile !== undefined) {
    try {
      process.loadEnvFile(envFile);
    } catch {
      throw new Error(`The file ${envFile} cannot be read.`);
    }
  }
  if (config !== undefined) return diagnose(await loadConfig(config), given);
  const { findings } = await diagnose(configurationFromEnv(process.env), given);
  // The store of these options is a default that says nothing about the application's.
  const seen = findings.filter(({ check }) => !/^(?:store|encryption-keys)/.test(check));
  return summarize([...seen, storeUnknown]);
}

const storeUnknown: Finding = {
  check: 'store',
  level: 'unknown',
  message: 'The environment does not tell where tokens are kept, nor whether they are encrypted.',
  fix: 'Name the module that exports your options: --config ./salesforce.config.mjs',
};

/** An import the build leaves alone: compiled to CommonJS it would be a require, which takes no ESM on Node 20. */
// eslint-disable-next-line @typescript-eslint/no-implied-eval -- nothing but this text
const importModule = new Function('url', 'return import(url)') as (url: string) => Promise<unknown>;

/** The default export of a module: options, or a function that returns them. */
async function loadConfig(path: string): Promise<SalesforceAuthOptions> {
  let loaded: unknown;
  try {
    const module = (await importModule(pathToFileURL(resolve(path)).href)) as { default?: unknown };
    // A module transpiled to CommonJS has its default export one floor down.
    loaded = (module.default as { default?: unknown } | undefined)?.default ?? module.default;
    if (typeof loaded === 'function') loaded = await (loaded as () => unknown)();
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error('Something that is no error was thrown.');
    throw new Error(`${path} could not be loaded. ${name}: ${message}`, { cause: error });
  }
  if (typeof loaded !== 'object' || loaded === null) {
    throw new Error(
      `${path} has to export by default the options of salesforceAuth(), or a function that returns them.`,
    );
  }
  return loaded as SalesforceAuthOptions;
}

/** Takes out of a foreign message what may be a secret: values of variables so named, and passwords in URLs. */
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
    .replace(/(\/\/[^\s/:@]*):[^\s/@]+@/g, '$1:[redacted]@');
}

/** Reads the command line. @throws Error with a sentence for the person who typed it */
function parseDoctorArguments(args: readonly string[]): DoctorArguments | 'help' {
  const { values } = readArguments(() => parseStrictly(args));
  if (values.help) return 'help';
  const { config, origin, tenant, processes, dotenv: envFile } = values;
  if (origin !== undefined && !/^https?:\/\/[^/]+$/.test(origin)) {
    throw new Error(`--origin has to be an origin such as https://app.example.com.`);
  }
  if (processes !== undefined && !/^[1-9]\d{0,4}$/.test(processes)) throw new Error('--processes has to be a number.');
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

/** Not exported, because its type is what parseArgs makes of the options. */
function parseStrictly(args: readonly string[]) {
  return parseArgs({
    args: [...args],
    strict: true,
    allowPositionals: false,
    options: {
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
    },
  });
}
