import type { Clock } from '../clock';
import { isSalesforceAuthError, systemCode } from '../errors';
import { endpointsOf } from '../salesforce/endpoints';
import { parseUrl } from '../salesforce/hosts';
import { exchange, isCertificateError, type HttpReply, type Network } from '../token/http';
import type { Finding } from './findings';

/** The ID token's times are checked with this tolerance, in seconds. */
const toleranceSeconds = 30;

/** Whether Salesforce answers at a base URL, says that it is there, and agrees about the time. */
export async function checkHost(baseUrl: string, network: Network, clock: Clock): Promise<Finding[]> {
  const startedAt = clock.now();
  let reply: HttpReply;
  try {
    const request = { method: 'GET', headers: { accept: 'application/json' } };
    reply = await exchange(`${baseUrl}/.well-known/openid-configuration`, request, network, clock);
  } catch (error) {
    return [{ baseUrl, ...unreachable(error, new URL(baseUrl)) }];
  }
  const between = (startedAt + clock.now()) / 2;
  const found = discovery(baseUrl, reply);
  if (found.level === 'error') return [{ baseUrl, ...found }];
  return [
    { baseUrl, check: 'base-url', level: 'ok', message: 'Salesforce answers.' },
    { baseUrl, ...found },
    { baseUrl, ...time(reply.headers.get('date'), between) },
  ];
}

function unreachable(error: unknown, { host, hostname }: URL): Finding {
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
      'Correct baseUrl. A My Domain ends in .my.salesforce.com; see My Domain in Salesforce Setup. If the name is right, look at the DNS of this machine.',
    );
  }
  if (cause !== undefined && isCertificateError(cause)) {
    return finding(
      `The certificate of ${host} is not trusted${why}.`,
      'If a proxy of your own opens TLS, give its certificate to Node with NODE_EXTRA_CA_CERTS; otherwise baseUrl is not Salesforce. Never turn the check off.',
    );
  }
  if (code === 'ERR_SALESFORCE_TIMEOUT') {
    return finding(
      `${host} does not answer in time.`,
      'Look at firewalls and proxies, and at https://status.salesforce.com.',
    );
  }
  return finding(
    `${host} cannot be reached${why}.`,
    'Correct baseUrl, or look at firewalls and proxies of this machine.',
  );
}

/** The document has to name the endpoints that the package derives from the base URL. */
function discovery(baseUrl: string, { status, headers, text }: HttpReply): Finding {
  const wrong = (message: string, fix: string): Finding => ({ check: 'discovery', level: 'error', message, fix });
  const location = parseUrl(headers.get('location') ?? '');
  if (status >= 300 && status < 400) {
    return wrong(
      `${baseUrl} sends its visitors on to ${location?.host ?? 'elsewhere'}.`,
      `Set baseUrl to where the login is: ${location ? location.origin : 'the My Domain of the organization'}, if that is yours.`,
    );
  }
  const document = parseObject(text);
  if (status !== 200 || !document) {
    return wrong(
      `${baseUrl} has no OpenID configuration (status ${status}), so it is no login host of Salesforce.`,
      'Set baseUrl to https://login.salesforce.com, https://test.salesforce.com, a My Domain, or a site with its path.',
    );
  }
  const differing = (['issuer', 'authorization_endpoint', 'token_endpoint'] as const).filter(
    (name) => document[name] !== endpointsOf(baseUrl)[name],
  );
  if (differing.length === 0) {
    return { check: 'discovery', level: 'ok', message: 'The OpenID configuration is that of this base URL.' };
  }
  const issuer = parseUrl(String(document['issuer']));
  return wrong(
    `The OpenID configuration is of another host: ${differing.join(', ')} ${differing.length === 1 ? 'differs' : 'differ'}` +
      `${issuer ? ` (issuer ${issuer.origin}${issuer.pathname.replace(/\/$/, '')})` : ''}.`,
    'Set baseUrl to the host of the issuer, with the path of the site if it is one, and without a trailing path otherwise.',
  );
}

function time(date: string | null, localMs: number): Finding {
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there)) {
    return {
      check: 'clock',
      level: 'unknown',
      message: 'The answer has no Date to compare the clock with.',
      fix: 'Keep the clock of this machine right with NTP.',
    };
  }
  // The header has whole seconds.
  const skew = Math.max(0, Math.abs(there + 500 - localMs) / 1000 - 1);
  if (skew < 5) return { check: 'clock', level: 'ok', message: 'The clock of this machine agrees with Salesforce.' };
  const direction = there < localMs ? 'ahead of' : 'behind';
  return {
    check: 'clock',
    level: skew > toleranceSeconds ? 'error' : 'warning',
    message: `The clock of this machine is ${Math.round(skew)} seconds ${direction} Salesforce's.`,
    fix: `Set it with NTP. Above ${toleranceSeconds} seconds ID tokens are refused.`,
    ...(skew > toleranceSeconds ? { code: 'ERR_SALESFORCE_ID_TOKEN_INVALID' as const } : {}),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
