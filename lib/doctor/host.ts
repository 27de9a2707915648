import type { Clock } from '../clock';
import { isSalesforceAuthError, systemCode } from '../errors';
import { parseJsonObject } from '../json-object';
import { endpointsOf } from '../salesforce/endpoints';
import { parseUrl } from '../salesforce/hosts';
import { exchange, isCertificateError, type HttpReply, type Network } from '../token/http';
import type { Finding } from './findings';

/** Tolerance of the package for the times of an ID token, in seconds. */
const toleranceSeconds = 30;

/** Checks whether Salesforce answers at a base URL, names this base URL in its discovery document, and has the same time. */
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
    { baseUrl, ...clockFinding(reply.headers.get('date'), between) },
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
      'Correct baseUrl. A My Domain ends in .my.salesforce.com; see My Domain in Salesforce Setup. If the name is right, check the DNS of this machine.',
    );
  }
  if (cause !== undefined && isCertificateError(cause)) {
    return finding(
      `The certificate of ${host} is not trusted${why}.`,
      'If a proxy of yours decrypts TLS, give its certificate to Node.js with NODE_EXTRA_CA_CERTS; otherwise baseUrl is not Salesforce. Never turn the check off.',
    );
  }
  if (code === 'ERR_SALESFORCE_TIMEOUT') {
    return finding(
      `${host} does not answer in time.`,
      'Check firewalls and proxies, and https://status.salesforce.com.',
    );
  }
  return finding(
    `${host} cannot be reached${why}.`,
    'Correct baseUrl, or check the firewalls and proxies of this machine.',
  );
}

/** The discovery document must name the endpoints that this package derives from the base URL. */
function discovery(baseUrl: string, { status, headers, text }: HttpReply): Finding {
  const wrong = (message: string, fix: string): Finding => ({ check: 'discovery', level: 'error', message, fix });
  const location = parseUrl(headers.get('location') ?? '');
  if (status >= 300 && status < 400) {
    return wrong(
      `${baseUrl} redirects to ${location?.host ?? 'another host'}.`,
      `Set baseUrl to the host of the login: ${location ? location.origin : 'the My Domain of the organization'}, if that host is yours.`,
    );
  }
  const document = parseJsonObject(text);
  if (status !== 200 || !document) {
    return wrong(
      `${baseUrl} has no OpenID configuration (status ${status}), so it is not a login host of Salesforce.`,
      'Set baseUrl to https://login.salesforce.com, https://test.salesforce.com, a My Domain, or a site with its path.',
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

function clockFinding(date: string | null, localMs: number): Finding {
  const there = Date.parse(date ?? '');
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
  const direction = there < localMs ? 'ahead of' : 'behind';
  return {
    check: 'clock',
    level: skew > toleranceSeconds ? 'error' : 'warning',
    message: `The clock of this machine is ${Math.round(skew)} seconds ${direction} Salesforce's.`,
    fix: `Set the clock with NTP. If the difference is more than ${toleranceSeconds} seconds, ID tokens are refused.`,
    ...(skew > toleranceSeconds ? { code: 'ERR_SALESFORCE_ID_TOKEN_INVALID' as const } : {}),
  };
}
