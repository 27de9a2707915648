import type { Clock } from '../clock';
import { isSalesforceAuthError } from '../errors';
import { admitsAnyOrganization } from '../middleware/start-warnings';
import type { ParsedOptions } from '../middleware/options';
import type { Configuration } from '../options/configuration';
import { isLoopback, parseUrl } from '../salesforce/hosts';
import { checkAuthorize } from './authorize';
import { summarize, type DiagnoseOptions, type Diagnosis, type Finding } from './findings';
import { checkHost } from './host';
import { tellLess } from './redact';
import { checkSettings } from './settings';
import { checkKeys, checkStore } from './store';
import { checkProofs } from './token';

/** What `diagnose()` does, for options that are checked already. */
export async function examine(parsed: ParsedOptions, given: DiagnoseOptions): Promise<Diagnosis> {
  const atStore = await checkStore(parsed.store, given, parsed.clock);
  const isInMemory = atStore.some(({ check }) => check === 'store.memory');
  const local = [...atStore, checkKeys(parsed.grantKeys !== undefined, isInMemory)];
  let configuration: Configuration;
  try {
    configuration = await parsed.source.resolve({ tenant: given.tenant });
  } catch (error) {
    return summarize([misconfigured(error), ...local]);
  }
  const hosts = [...new Set([configuration.baseUrl, ...Object.values(configuration.organizations)])];
  const remote = await Promise.all(hosts.map((baseUrl) => checkOrganization(configuration, baseUrl, parsed, given)));
  const { clientID } = configuration;
  return summarize([
    {
      check: 'configuration',
      level: 'ok',
      message: `The options are valid; the Consumer Key is ${shorten(clientID)}.`,
    },
    ...remote.flat(),
    ...checkSettings(configuration),
    ...(await checkCertificates(configuration, parsed.clock)),
    ...(await checkApp(configuration, parsed.clock, given)),
    ...checkAudience(parsed),
    ...local,
  ]);
}

async function checkOrganization(
  configuration: Configuration,
  baseUrl: string,
  parsed: ParsedOptions,
  { origin }: DiagnoseOptions,
): Promise<Finding[]> {
  const { clock } = parsed;
  const atHost = await checkHost(baseUrl, configuration, clock);
  if (atHost.some(({ check, level }) => level === 'error' && check !== 'clock')) return atHost;
  const path = callbackOf(configuration, parsed);
  const callback = absoluteCallbackURL(path, origin ?? rootOf(parsed));
  // Of an address nobody has registered Salesforce still says whether it knows the app.
  const callbackURL = typeof callback === 'string' ? callback : `https://unknown.invalid${path}`;
  try {
    const answered = await checkAuthorize(configuration, baseUrl, callbackURL, clock);
    const atAuthorize =
      typeof callback === 'string'
        ? answered
        : [...answered.filter(({ check }) => check === 'client-id'), { ...callback, baseUrl }];
    // Without a known client there is nothing to say about its secret.
    const isKnown = atAuthorize.every(({ check, level }) => check !== 'client-id' || level === 'ok');
    const atToken = isKnown ? await checkProofs(configuration, baseUrl, callbackURL, clock) : [];
    return [...atHost, ...atAuthorize, ...atToken];
  } catch (error) {
    const message = `Salesforce answered once and then could not be asked: ${tellLess(error)}`;
    return [...atHost, { check: 'app', level: 'unknown', message, fix: 'Try again.', baseUrl }];
  }
}

/** The URL Salesforce is given, or why it is not known or not possible. */
function absoluteCallbackURL(callbackURL: string, origin: string | undefined): string | Finding {
  if (!callbackURL.startsWith('/')) return callbackURL;
  const url = origin === undefined ? undefined : parseUrl(origin);
  if (!url || !/^https?:$/.test(url.protocol)) {
    return {
      check: 'callback-url',
      level: 'unknown',
      message: `callbackURL is the path ${callbackURL}, so whether it is registered cannot be checked without the address of the application.`,
      fix: 'Give the origin, for instance https://app.example.com, or make callbackURL (SALESFORCE_CALLBACK_URL) absolute.',
    };
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    return {
      check: 'callback-url',
      level: 'error',
      message: `${url.origin}${callbackURL} is not https, which Salesforce requires outside of localhost.`,
      fix: "Serve the application over https; behind a proxy that does, set Express's 'trust proxy'.",
      code: 'ERR_SALESFORCE_OPTION_INVALID',
    };
  }
  return url.origin + url.pathname.replace(/\/+$/, '') + callbackURL;
}

/** The callback URL, or its path below the application's root. */
function callbackOf({ callbackURL }: Configuration, { routes }: ParsedOptions): string {
  return callbackURL ?? (routes.callback === false ? '' : routes.callback);
}

/** Address of the application's root, if the options name it. */
function rootOf({ addresses }: ParsedOptions): string | undefined {
  const [first] = addresses.listed;
  return first && first.origin + first.prefix;
}

/** What is known of the keys of a client that has some; who has none loads nothing of it. */
async function checkCertificates({ clientKeys }: Configuration, clock: Clock): Promise<Finding[]> {
  if (clientKeys.length === 0) return [];
  return (await import('./client-key')).checkCertificates(clientKeys, clock);
}

/** Asks for an app token if that is wanted; else nothing of it is loaded. */
async function checkApp(configuration: Configuration, clock: Clock, { app }: DiagnoseOptions): Promise<Finding[]> {
  return app === undefined ? [] : (await import('./app-access')).checkAppToken(app, configuration, clock);
}

/** Says who may log in, if that is everybody. */
function checkAudience(parsed: ParsedOptions): Finding[] {
  if (!admitsAnyOrganization(parsed)) return [];
  return [
    {
      check: 'audience',
      level: 'warning',
      message: 'Users of any Salesforce organization may log in, as far as the options say.',
      fix: "Name your organizations in allowedOrganizations, decide in authorizeUser, or set allowedOrganizations to 'any' if you mean it.",
    },
  ];
}

/** The finding about options that are wrong. */
export function misconfigured(error: unknown): Finding {
  return {
    check: 'configuration',
    level: 'error',
    message: tellLess(error),
    fix: 'Correct the option, then check again: the rest was not looked at.',
    ...(isSalesforceAuthError(error) ? { code: error.code } : {}),
  };
}

function shorten(clientID: string): string {
  return clientID.length > 24 ? `${clientID.slice(0, 10)}…${clientID.slice(-6)}` : clientID;
}
