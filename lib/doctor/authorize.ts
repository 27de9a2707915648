import { createHash, randomBytes } from 'node:crypto';
import { isKnown, classify, operatorMessage, type UpstreamError } from '../salesforce-errors/classify';
import { meanings, type Meaning } from '../salesforce-errors/meanings';
import { errorOnPage } from '../salesforce-errors/page';
import { safeText } from '../salesforce-errors/safe-text';
import type { Clock } from '../clock';
import type { Configuration } from '../options/configuration';
import { endpointsOf } from '../salesforce/endpoints';
import { isTrustedHost, parseUrl } from '../salesforce/hosts';
import { exchange, type HttpReply } from '../token/http';
import { reportText, type Finding } from './findings';

/** How Salesforce answers an authorization request of a browser without a session. */
type Answer = { shape: 'page' | 'callback'; upstreamError: UpstreamError } | { shape: 'login' };

/** Redirects that are followed to find an error page. These requests hold no secret. */
const maxRedirects = 2;

/**
 * Starts a login and does not finish the login. Salesforce refuses an unknown client or callback URL on a page, and reports
 * most other mistakes in the query of a redirect.
 *
 * @throws SalesforceAuthError if Salesforce cannot be asked
 */
export async function checkAuthorize(
  configuration: Configuration,
  baseUrl: string,
  callbackURL: string,
  clock: Clock,
): Promise<Finding[]> {
  const answer = await request(configuration, baseUrl, callbackURL, clock, true);
  const clientKnown: Finding = { check: 'client-id', level: 'ok', message: 'Salesforce knows the app.' };
  const callbackKnown: Finding = {
    check: 'callback-url',
    level: 'ok',
    message: `${callbackURL} is registered with the app.`,
  };
  const problem = answer.shape === 'login' ? undefined : problemOf(answer);
  const found: Finding[] = [];
  if (problem?.check === 'client-id') found.push(problem);
  else if (problem?.check === 'callback-url') found.push(clientKnown, problem);
  else {
    found.push(clientKnown, callbackKnown, ...(problem ? [problem] : []));
    found.push(pkce(await request(configuration, baseUrl, callbackURL, clock, false)));
  }
  return found.map((finding) => ({ ...finding, baseUrl }));
}

const checks: Partial<Record<Meaning['code'], string>> = {
  ERR_SALESFORCE_CLIENT_UNKNOWN: 'client-id',
  ERR_SALESFORCE_REDIRECT_URI_MISMATCH: 'callback-url',
  ERR_SALESFORCE_SCOPE_INVALID: 'scope',
};

function problemOf({ shape, upstreamError }: Exclude<Answer, { shape: 'login' }>): Finding | undefined {
  const found = classify(shape, upstreamError);
  // The error means that no user is logged in. The doctor never is.
  if (found === 'ignored' || found === meanings.immediate) return undefined;
  return {
    check: checks[found.code] ?? 'app',
    level: found.status === 503 ? 'unknown' : 'error',
    message: operatorMessage(upstreamError, { ...found, advice: '' }).trim(),
    fix: isKnown(shape, upstreamError) ? found.advice : `${found.advice} ${reportText}`,
    code: found.code,
  };
}

function pkce(answer: Answer): Finding {
  if (answer.shape !== 'login' && classify(answer.shape, answer.upstreamError) === meanings.pkceRequired) {
    return { check: 'pkce', level: 'ok', message: 'The app requires PKCE. This package sends PKCE with every login.' };
  }
  return {
    check: 'pkce',
    level: 'unknown',
    message: 'Salesforce did not refuse a request without PKCE. More cannot be seen without a login.',
    fix: 'Tick "Require Proof Key for Code Exchange (PKCE)" in the app. This package sends PKCE in any case.',
  };
}

async function request(
  configuration: Configuration,
  baseUrl: string,
  callbackURL: string,
  clock: Clock,
  withPkce: boolean,
): Promise<Answer> {
  const { clientID, scope, prompt, display, authorizationParams, trustedHosts } = configuration;
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  const query = new URLSearchParams({
    ...authorizationParams,
    response_type: 'code',
    client_id: clientID,
    redirect_uri: callbackURL,
    state: randomBytes(16).toString('base64url'),
    ...(prompt === false ? {} : { prompt }),
    ...(display === undefined ? {} : { display }),
    ...(scope.length === 0 ? {} : { scope: scope.join(' ') }),
    ...(withPkce ? { code_challenge: challenge, code_challenge_method: 'S256' } : {}),
  });
  let url = `${endpointsOf(baseUrl).authorization_endpoint}?${query.toString()}`;
  for (let redirects = 0; ; redirects++) {
    const reply = await exchange(url, { method: 'GET', headers: { accept: 'text/html' } }, configuration, clock);
    const target = targetOf(reply, url);
    if (target && isCallback(target, callbackURL)) {
      const upstreamError = errorIn(target.searchParams);
      return upstreamError ? { shape: 'callback', upstreamError } : { shape: 'login' };
    }
    const shown = target ? undefined : errorIn(errorOnPage(reply.text));
    if (shown) return { shape: 'page', upstreamError: { ...shown, status: reply.status } };
    if (!target || redirects === maxRedirects || !isTrustedHost(target, trustedHosts)) return { shape: 'login' };
    url = target.href;
  }
}

/**
 * Where a browser would go next: to the Location header, or where the script leads that Salesforce sometimes sends instead.
 */
function targetOf({ status, headers, text }: HttpReply, url: string): URL | undefined {
  const script = /location\.(?:replace\(|href\s*=\s*)\s*(['"])(.*?)\1/.exec(text)?.[2];
  const location = status >= 300 && status < 400 ? headers.get('location') : script;
  if (location == null) return undefined;
  try {
    return new URL(location.replaceAll('\\/', '/').replaceAll('\\u0026', '&'), url);
  } catch {
    return undefined;
  }
}

function isCallback(target: URL, callbackURL: string): boolean {
  const callback = parseUrl(callbackURL);
  return callback !== undefined && target.origin === callback.origin && target.pathname === callback.pathname;
}

function errorIn(params: URLSearchParams): UpstreamError | undefined {
  const error = safeText(params.get('error'));
  return error === undefined ? undefined : { error, errorDescription: safeText(params.get('error_description')) };
}
