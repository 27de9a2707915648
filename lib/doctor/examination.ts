import { within, type Clock } from '../clock';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { admitsAnyOrganization } from '../middleware/start-warnings';
import type { ParsedOptions } from '../middleware/options';
import type { Configuration } from '../options/configuration';
import { isLoopback, parseUrl } from '../salesforce/hosts';
import { checkAuthorize } from './authorize';
import { summarize, type DiagnoseOptions, type Diagnosis, type Finding } from './findings';
import { checkGiven } from './given';
import { checkHost } from './host';
import { safeMessage } from './safe-message';
import { checkSettings } from './settings';
import { checkKeys, checkStore } from './store';
import { checkProofs } from './token';

/** A configuration function that takes longer counts as a function that does not answer. */
const configurationTimeoutMs = 10_000;

function configurationLate(): Error {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    `The configuration function did not answer within ${configurationTimeoutMs / 1000} seconds.`,
    { status: 503, retryAfterSeconds: 5 },
  );
}

/** Does the work of `diagnose()` with options that are parsed already. @throws SalesforceOptionError for wrong options of the call */
export async function examine(parsed: ParsedOptions, given: DiagnoseOptions): Promise<Diagnosis> {
  checkGiven(given);
  const atStore = await checkStore(parsed.store, given, parsed.clock);
  const isInMemory = atStore.some(({ check }) => check === 'store.memory');
  const local = [...atStore, checkKeys(parsed, isInMemory)];
  let configuration: Configuration;
  try {
    const resolving = parsed.source.resolve({ tenant: given.tenant });
    configuration = await within(parsed.clock, configurationTimeoutMs, resolving, configurationLate);
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
  const callback = path === undefined ? noCallback : absoluteCallbackURL(path, origin ?? rootOf(parsed));
  // Even for an unregistered callback URL, Salesforce says whether it knows the app.
  const callbackURL = typeof callback === 'string' ? callback : 'https://unknown.invalid/callback';
  try {
    const answered = await checkAuthorize(configuration, baseUrl, callbackURL, clock);
    const atAuthorize =
      typeof callback === 'string'
        ? answered.map((finding) => withMountPath(finding, configuration))
        : [...answered.filter(({ check }) => check === 'client-id'), { ...callback, baseUrl }];
    // Salesforce says nothing about the secret of an unknown client.
    const isUnknown = atAuthorize.some(({ check, level }) => check === 'client-id' && level === 'error');
    const atToken = isUnknown ? [] : await checkProofs(configuration, baseUrl, callbackURL, clock);
    return [...atHost, ...joined(atAuthorize, atToken)];
  } catch (error) {
    const message = `Salesforce answered the first request, but not a later one: ${safeMessage(error)}`;
    return [...atHost, { check: 'app', level: 'unknown', message, fix: 'Try again.', baseUrl }];
  }
}

/** The findings about a client. If the token endpoint says that the client is unknown, no other finding says otherwise. */
function joined(atAuthorize: readonly Finding[], atToken: readonly Finding[]): Finding[] {
  const refusal = atToken.find(({ check }) => check === 'client-id');
  const all = [...atAuthorize, ...atToken];
  return refusal ? [refusal, ...all.filter(({ check }) => check !== 'client-id')] : all;
}

/** Without the option callbackURL, the callback is below the path at which the middleware is mounted. */
function withMountPath(finding: Finding, { callbackURL }: Configuration): Finding {
  if (finding.check !== 'callback-url' || finding.level !== 'error' || callbackURL !== undefined) return finding;
  const more = 'If salesforceAuth() is mounted at a path, set callbackURL: the doctor does not know this path.';
  return { ...finding, fix: `${finding.fix ?? ''} ${more}` };
}

const noCallback: Finding = {
  check: 'callback-url',
  level: 'unknown',
  message: 'routes.callback is false and callbackURL is not set, so there is no callback URL to check.',
  fix: 'If users log in at this application, set callbackURL (SALESFORCE_CALLBACK_URL).',
};

/** The callback URL that Salesforce receives, or a finding that says why the URL is unknown or impossible. */
function absoluteCallbackURL(callbackURL: string, origin: string | undefined): string | Finding {
  if (!callbackURL.startsWith('/')) return callbackURL;
  const url = origin === undefined ? undefined : parseUrl(origin);
  if (!url || !/^https?:$/.test(url.protocol)) {
    return {
      check: 'callback-url',
      level: 'unknown',
      message: `callbackURL is the path ${callbackURL}. The registration cannot be checked without the address of the application.`,
      fix: 'Name the origin, for instance https://app.example.com, or make callbackURL (SALESFORCE_CALLBACK_URL) absolute.',
    };
  }
  if (url.protocol === 'http:' && !isLoopback(url)) {
    return {
      check: 'callback-url',
      level: 'error',
      message: `${url.origin}${callbackURL} is not https, which Salesforce requires outside of localhost.`,
      fix: "Serve the application over https. If a proxy does that, set Express's 'trust proxy'.",
      code: 'ERR_SALESFORCE_OPTION_INVALID',
    };
  }
  return url.origin + url.pathname.replace(/\/+$/, '') + callbackURL;
}

/** The callback URL, or its path below the application's root. Undefined if the options name none. */
function callbackOf({ callbackURL }: Configuration, { routes }: ParsedOptions): string | undefined {
  return callbackURL ?? (routes.callback === false ? undefined : routes.callback);
}

/** Address of the application's root, if the options name it. */
function rootOf({ addresses }: ParsedOptions): string | undefined {
  const [first] = addresses.listed;
  return first && first.origin + first.prefix;
}

/** Checks the certificates of client keys. The module is loaded only if the client has keys. */
async function checkCertificates({ clientKeys }: Configuration, clock: Clock): Promise<Finding[]> {
  if (clientKeys.length === 0) return [];
  return (await import('./client-key')).checkCertificates(clientKeys, clock);
}

/** Checks app tokens. The module is loaded only if the operator asks for this check. */
async function checkApp(configuration: Configuration, clock: Clock, { app }: DiagnoseOptions): Promise<Finding[]> {
  return app === undefined ? [] : (await import('./app-access')).checkAppToken(app, configuration, clock);
}

/** Warns if every user of Salesforce may log in. */
function checkAudience(parsed: ParsedOptions): Finding[] {
  if (!admitsAnyOrganization(parsed)) return [];
  return [
    {
      check: 'audience',
      level: 'warning',
      message: 'The options let users of any Salesforce organization log in.',
      fix: "Name your organizations in allowedOrganizations, decide in authorizeUser, or set allowedOrganizations to 'any' if you mean it.",
    },
  ];
}

export function misconfigured(error: unknown): Finding {
  return {
    check: 'configuration',
    level: 'error',
    message: safeMessage(error),
    fix: 'Correct the option, then run the doctor again: the remaining checks did not run.',
    ...(isSalesforceAuthError(error) ? { code: error.code } : {}),
  };
}

function shorten(clientID: string): string {
  return clientID.length > 24 ? `${clientID.slice(0, 10)}…${clientID.slice(-6)}` : clientID;
}
