import type { Clock } from '../clock';
import { isSalesforceAuthError, systemCode } from '../errors';
import { parseJsonObject } from '../json-object';
import { endpointsOf } from '../salesforce/endpoints';
import { parseUrl } from '../salesforce/hosts';
import { safeText } from '../salesforce-errors/safe-text';
import type { Configuration } from '../options/configuration';
import { exchange, isCertificateError, type HttpReply } from '../token/http';
import type { Finding } from './findings';
import { safeMessage } from './safe-message';

/** From this many seconds ahead on, ID tokens can be over as they arrive: the shortest life of one, and a tolerance of 30. */
const tooFarAheadSeconds = 60 + 30;

/** From this many seconds behind on, Salesforce can refuse a signed assertion, since it is over as it arrives. */
const tooFarBehindSeconds = 180;

function discoveryUrl(baseUrl: string): string {
  return `${baseUrl}/.well-known/openid-configuration`;
}

/** Checks whether Salesforce answers at a base URL, names this base URL in its discovery document, and has the same time. */
export async function checkHost(baseUrl: string, configuration: Configuration, clock: Clock): Promise<Finding[]> {
  const startedAt = clock.now();
  let reply: HttpReply;
  try {
    const request = { method: 'GET', headers: { accept: 'application/json' } };
    reply = await exchange(discoveryUrl(baseUrl), request, configuration, clock);
  } catch (error) {
    return [{ baseUrl, ...unanswered(error, new URL(baseUrl)) }];
  }
  const between = (startedAt + clock.now()) / 2;
  if (reply.status >= 500 || reply.status === 429) return [{ baseUrl, ...outage(reply, new URL(baseUrl)) }];
  const found = discovery(baseUrl, reply);
  if (found.level === 'error') return [{ baseUrl, ...found }];
  return [
    { baseUrl, check: 'base-url', level: 'ok', message: 'Salesforce answers.' },
    { baseUrl, ...found },
    { baseUrl, ...clockFinding(timeOf(reply), between, configuration) },
  ];
}

/** Such an answer says nothing about the base URL. */
function outage({ status }: HttpReply, { host }: URL): Finding {
  return {
    check: 'base-url',
    level: 'error',
    message: `${host} answers with status ${status}.`,
    fix: 'Run the doctor again later, and see https://status.salesforce.com. If the answer stays the same, check baseUrl, and the proxies between this machine and Salesforce.',
    code: 'ERR_SALESFORCE_UPSTREAM',
  };
}

const loginHosts =
  'Set baseUrl to https://login.salesforce.com, https://test.salesforce.com, a My Domain, or a site with its path.';

/** Says why there is no answer that could be read. */
function unanswered(error: unknown, { host, hostname }: URL): Finding {
  const code = isSalesforceAuthError(error) ? error.code : undefined;
  const cause = systemCode(isSalesforceAuthError(error) ? error.cause : error);
  const finding = (message: string, fix: string): Finding => ({
    check: 'base-url',
    level: 'error',
    message,
    fix,
    ...(code === undefined ? {} : { code }),
  });
  const why = cause === undefined ? '' : ` (${cause})`;
  if (cause === 'ENOTFOUND' || cause === 'EAI_AGAIN') {
    return finding(
      `There is no host ${hostname}${why}.`,
      'Correct baseUrl. A My Domain ends in .my.salesforce.com; see My Domain in Salesforce Setup. If the name is right, check the DNS of this machine.',
    );
  }
  if (cause?.startsWith('ERR_SSL_') || cause === 'EPROTO') {
    return finding(
      `${host} answers, but not with a TLS that Node.js understands${why}.`,
      'Check the scheme and the port of baseUrl, and the proxies between this machine and Salesforce.',
    );
  }
  if (cause !== undefined && isCertificateError(cause)) {
    const clock = /^CERT_(?:NOT_YET_VALID|HAS_EXPIRED)$/.test(cause) ? 'Check the clock of this machine first. ' : '';
    return finding(
      `The certificate of ${host} is not trusted${why}.`,
      clock +
        'If a proxy of yours decrypts TLS, give its certificate to Node.js with NODE_EXTRA_CA_CERTS; otherwise baseUrl is not Salesforce. Never turn the check off.',
    );
  }
  if (code === 'ERR_SALESFORCE_TIMEOUT') {
    return finding(
      `${host} does not answer in time.`,
      'Check firewalls and proxies, and https://status.salesforce.com.',
    );
  }
  if (code === 'ERR_SALESFORCE_REPLY_INVALID') {
    return { ...finding(`${host} answers. ${safeMessage(error)}`, loginHosts), check: 'discovery' };
  }
  const fix = 'Correct baseUrl, or check the firewalls and proxies of this machine.';
  return finding(code === 'ERR_SALESFORCE_UNREACHABLE' ? `${host} cannot be reached${why}.` : safeMessage(error), fix);
}

/** The discovery document must name the endpoints that this package derives from the base URL. */
function discovery(baseUrl: string, { status, headers, text }: HttpReply): Finding {
  const wrong = (message: string, fix: string): Finding => ({ check: 'discovery', level: 'error', message, fix });
  if (status >= 300 && status < 400) {
    const { message, fix } = redirected(baseUrl, headers.get('location'), status);
    return wrong(message, fix);
  }
  const document = parseJsonObject(text);
  if (status !== 200 || !document) {
    return wrong(
      `${baseUrl} has no OpenID configuration (status ${status}), so it is not a login host of Salesforce.`,
      loginHosts,
    );
  }
  const differing = (['issuer', 'authorization_endpoint', 'token_endpoint'] as const).filter(
    (name) => document[name] !== endpointsOf(baseUrl)[name],
  );
  if (differing.length === 0) {
    return { check: 'discovery', level: 'ok', message: 'The OpenID configuration names this base URL.' };
  }
  const issuer = parseUrl(String(document['issuer']));
  return wrong(
    `The OpenID configuration names another host: ${differing.join(', ')} ${differing.length === 1 ? 'differs' : 'differ'}` +
      `${issuer ? ` (issuer ${issuer.origin}${issuer.pathname.replace(/\/$/, '')})` : ''}.`,
    'Set baseUrl to the host of the issuer. Add a path only if the issuer is a site with a path.',
  );
}

/** Says where a base URL redirects to. A login host does not redirect this request. */
function redirected(baseUrl: string, location: string | null, status: number): { message: string; fix: string } {
  const target =
    location !== null && URL.canParse(location, discoveryUrl(baseUrl))
      ? new URL(location, discoveryUrl(baseUrl))
      : undefined;
  if (!target?.host) {
    return { message: `${baseUrl} answers with a redirect to no valid address (status ${status}).`, fix: loginHosts };
  }
  if (target.origin === new URL(baseUrl).origin) {
    const message = `${baseUrl} redirects to its own path ${safeText(target.pathname)}, so it has no OpenID configuration.`;
    return { message, fix: loginHosts };
  }
  return {
    message: `${baseUrl} redirects to ${target.host}.`,
    fix: `Set baseUrl to the host of the login: ${target.origin}, if that host is yours.`,
  };
}

/** The time at which the host answered. A cache on the way keeps the Date of an answer, and tells its Age in seconds. */
function timeOf({ headers }: HttpReply): number {
  return Date.parse(headers.get('date') ?? '') + Number(headers.get('age') ?? 0) * 1000;
}

/** A wrong clock makes logins fail only if there is an ID token to check, or an assertion to sign. */
function clockFinding(there: number, localMs: number, { scope, clientKeys }: Configuration): Finding {
  if (Number.isNaN(there)) {
    return {
      check: 'clock',
      level: 'unknown',
      message: 'The answer has no Date header, so the clock could not be compared.',
      fix: 'Set the clock of this machine with NTP.',
    };
  }
  // The header has whole seconds, so up to one second of the difference means nothing.
  const skew = Math.max(0, Math.abs(there + 500 - localMs) / 1000 - 1);
  if (skew < 5) return { check: 'clock', level: 'ok', message: 'The clock of this machine agrees with Salesforce.' };
  const isAhead = there < localMs;
  const hasIdTokens = scope.length === 0 || scope.includes('openid');
  const isTooFar = isAhead
    ? hasIdTokens && skew > tooFarAheadSeconds
    : clientKeys.length > 0 && skew > tooFarBehindSeconds;
  return {
    check: 'clock',
    level: isTooFar ? 'error' : 'warning',
    message: `The clock of this machine is ${Math.round(skew)} seconds ${isAhead ? 'ahead of' : 'behind'} Salesforce's.`,
    fix: 'Set the clock with NTP. A clock that is ahead by more than the life of an ID token, which the app sets, refuses every login with an ID token; with a clock that is behind, Salesforce refuses assertions of clientKey.',
    ...(isTooFar && isAhead ? { code: 'ERR_SALESFORCE_ID_TOKEN_INVALID' as const } : {}),
  };
}
