import { createHash, randomBytes } from 'node:crypto';
import type { UpstreamError } from '../salesforce-errors/classify';
import { errorOnPage } from '../salesforce-errors/page';
import { safeText } from '../salesforce-errors/safe-text';
import type { Clock } from '../clock';
import type { Configuration } from '../options/configuration';
import { endpointsOf } from '../salesforce/endpoints';
import { isLoopback, isTrustedHost, parseUrl } from '../salesforce/hosts';
import { exchange, type HttpReply } from '../token/http';

/** How Salesforce answers an authorization request of a browser without a session. */
export type AuthorizeAnswer =
  | { shape: 'page' | 'callback'; upstreamError: UpstreamError }
  | { shape: 'login' }
  /** Neither a login nor an error of Salesforce. `seen` is a part of a sentence that says what came. */
  | { shape: 'other'; seen: string };

/** Redirects that are followed to find an error page. These requests hold no secret. */
const maxRedirects = 2;

/** The part of a page in which a script redirect is looked for, in characters. */
const maxScript = 64 * 1024;

/** What to ask for. */
export interface AuthorizeQuestion {
  baseUrl: string;
  callbackURL: string;
  withPkce: boolean;
}

/**
 * Sends an authorization request and reads the answer.
 *
 * @throws SalesforceAuthError if Salesforce cannot be asked
 */
export async function requestAuthorization(
  { baseUrl, callbackURL, withPkce }: AuthorizeQuestion,
  configuration: Configuration,
  clock: Clock,
): Promise<AuthorizeAnswer> {
  const query = queryOf(configuration, callbackURL, withPkce);
  let url = `${endpointsOf(baseUrl).authorization_endpoint}?${query.toString()}`;
  for (let redirects = 0; ; redirects++) {
    const reply = await exchange(url, { method: 'GET', headers: { accept: 'text/html' } }, configuration, clock);
    const { target, rest } = redirectIn(reply, url);
    if (target && isCallback(target, callbackURL)) {
      const upstreamError = errorIn(target.searchParams);
      return upstreamError ? { shape: 'callback', upstreamError } : { shape: 'login' };
    }
    const shown = errorIn(errorOnPage(rest));
    if (shown) return { shape: 'page', upstreamError: { ...shown, status: reply.status } };
    // A login page may hold scripts that move the browser later.
    if (isSuccess(reply) && hasLoginForm(reply.text)) return { shape: 'login' };
    if (!target) {
      const isLogin = redirects > 0 && isSuccess(reply) && isPage(reply) && namesLogin(url);
      return isLogin ? { shape: 'login' } : { shape: 'other', seen: describe(reply, url) };
    }
    if (target.protocol !== 'https:' && !isLoopback(target)) {
      return {
        shape: 'other',
        seen: `${new URL(url).host} redirected to ${target.host || 'an address'} without https`,
      };
    }
    // Salesforce names the error in the address of its error page. The page itself may say less.
    const named = errorIn(target.searchParams);
    if (named) return { shape: 'page', upstreamError: named };
    // The organization may let its users log in at another provider.
    if (!isTrustedHost(target, configuration.trustedHosts)) return { shape: 'login' };
    if (redirects === maxRedirects) {
      const seen = `${target.host} redirected again and again, and not to a login`;
      return namesLogin(target.href) ? { shape: 'login' } : { shape: 'other', seen };
    }
    url = target.href;
  }
}

function queryOf(configuration: Configuration, callbackURL: string, withPkce: boolean): URLSearchParams {
  const { clientID, scope, prompt, display, authorizationParams } = configuration;
  const challenge = createHash('sha256').update(randomBytes(32)).digest('base64url');
  return new URLSearchParams({
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
}

/**
 * Where a browser would go next: to the Location header, or where the script leads that Salesforce sometimes sends instead.
 * `rest` is the text of the reply without the address.
 */
function redirectIn(reply: HttpReply, url: string): { target: URL | undefined; rest: string } {
  const { status, headers, text } = reply;
  if (status >= 300 && status < 400) {
    const target = addressOf(headers.get('location'), url);
    return { target, rest: target ? '' : text };
  }
  const scripted = isSuccess(reply) ? scriptTarget(text) : undefined;
  if (scripted === undefined) return { target: undefined, rest: text };
  const address = scripted.replaceAll('\\/', '/').replaceAll('\\u0026', '&');
  return { target: addressOf(address, url), rest: text.replaceAll(scripted, '') };
}

/** The pattern has bounded repetitions only, since another host may have written the page. */
function scriptTarget(text: string): string | undefined {
  const pattern = /location\.(?:replace\(|href\s{0,9}=)\s{0,9}(?:'([^'\r\n]{1,8000})'|"([^"\r\n]{1,8000})")/;
  const found = pattern.exec(text.slice(0, maxScript));
  return found?.[1] ?? found?.[2];
}

function addressOf(location: string | null, url: string): URL | undefined {
  return location === null || !URL.canParse(location, url) ? undefined : new URL(location, url);
}

function isCallback(target: URL, callbackURL: string): boolean {
  const callback = parseUrl(callbackURL);
  return callback !== undefined && target.origin === callback.origin && target.pathname === callback.pathname;
}

function errorIn(params: URLSearchParams): UpstreamError | undefined {
  const error = safeText(params.get('error'));
  return error === undefined ? undefined : { error, errorDescription: safeText(params.get('error_description')) };
}

function isSuccess({ status }: HttpReply): boolean {
  return status >= 200 && status < 300;
}

/** Whether a page asks for a username or password, or sends the browser to the login of another provider. */
function hasLoginForm(html: string): boolean {
  return /\btype=["']?password\b|\bname=["']?(?:username|un|pw|SAMLRequest)\b/i.test(html);
}

/** Whether an address is the one of a login. Sites can draw their login page with a script, so the page shows no form here. */
function namesLogin(url: string): boolean {
  const { pathname, searchParams } = new URL(url);
  if (/\/RemoteAccessErrorPage\b/i.test(pathname)) return false;
  return (
    /\/(?:login|saml|secur|auth\/sso)\b/i.test(pathname) ||
    [...searchParams.keys()].some((name) => /^(?:startURL|ec)$/i.test(name))
  );
}

function isPage({ text }: HttpReply): boolean {
  return text.trimStart().startsWith('<');
}

function describe(reply: HttpReply, url: string): string {
  const { host } = new URL(url);
  const { status, text } = reply;
  if (status >= 300 && status < 400) return `${host} answered with a redirect (status ${status}) to no valid address`;
  if (!isSuccess(reply)) return `${host} answered with status ${status}`;
  if (text.trim() === '') return `${host} answered with nothing (status ${status})`;
  const title = safeText(/<title[^>]{0,200}>([^<]{1,200})</i.exec(text)?.[1]?.trim());
  const page = isPage(reply) ? `a page${title === undefined ? '' : ` with the title "${title}"`}` : 'a text';
  return `${host} answered with ${page} that is no login page of Salesforce`;
}
