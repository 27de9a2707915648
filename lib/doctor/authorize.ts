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

/** How Salesforce answers an authorization request of nobody in particular. */
type Answer = { shape: 'page' | 'callback'; said: UpstreamError } | { shape: 'login' };

/** Redirects followed in search of an error page; there is no secret in these requests. */
const maxRedirects = 2;

/**
 * Asks for a login without going through with it: an unknown client or callback URL is refused on a page, and most other
 * mistakes in the query of a redirect.
 *
 * @throws SalesforceAuthError where Salesforce cannot be asked
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

function problemOf({ shape, said }: Exclude<Answer, { shape: 'login' }>): Finding | undefined {
  const found = classify(shape, said);
  // It says no more than that nobody is logged in, which is true of the doctor.
  if (found === 'ignored' || found === meanings.immediate) return undefined;
  return {
    check: checks[found.code] ?? 'app',
    level: found.status === 503 ? 'unknown' : 'error',
    message: operatorMessage(said, { ...found, advice: '' }).trim(),
    fix: isKnown(shape, said) ? found.advice : `${found.advice} ${reportText}`,
    code: found.code,
  };
}

function pkce(answer: Answer): Finding {
  if (answer.shape !== 'login' && classify(answer.shape, answer.said) === meanings.pkceRequired) {
    return { check: 'pkce', level: 'ok', message: 'The app requires PKCE, which every login here sends.' };
  }
  return {
    check: 'pkce',
    level: 'unknown',
    message: 'A request without PKCE was not refused, as far as can be seen without logging in.',
    fix: 'Tick "Require Proof Key for Code Exchange (PKCE)" in the app. Logins here send it in any case.',
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
      const said = saidIn(target.searchParams);
      return said ? { shape: 'callback', said } : { shape: 'login' };
    }
    const shown = target ? undefined : saidIn(errorOnPage(reply.text));
    if (shown) return { shape: 'page', said: { ...shown, status: reply.status } };
    if (!target || redirects === maxRedirects || !isTrustedHost(target, trustedHosts)) return { shape: 'login' };
    url = target.href;
  }
}

/** Where the browser would go on to: by Location, or by the script Salesforce sometimes sends instead. */
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

function saidIn(params: URLSearchParams): UpstreamError | undefined {
  const error = safeText(params.get('error'));
  return error === undefined ? undefined : { error, errorDescription: safeText(params.get('error_description')) };
}
