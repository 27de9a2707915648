import { isLoopback, parseUrl } from '../salesforce/hosts';
import { checkCopied, invalid, isPlainObject, oneOf } from './check';

/**
 * What Salesforce asks the user, `prompt` on the wire.
 *
 * - `login`: log in again, always
 * - `consent`: ask for approval again, always
 * - `select_account`: the approval page where the browser is logged in, else the login page; the account chooser where
 *   Salesforce knows several accounts of the browser (its "login hints")
 * - `login consent`: both
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 */
export type Prompt = 'login' | 'consent' | 'select_account' | 'login consent';

/** Parameters the login sets itself; an extra parameter must not replace one of them. */
const reservedParams = new Set(
  'client_id client_secret response_type redirect_uri state nonce scope code_challenge code_challenge_method prompt display login_hint'.split(
    ' ',
  ),
);

/** The Consumer Key, which is required. */
export function parseClientID(option: string, value: unknown): string {
  if (typeof value !== 'string' || value.trim() === '') {
    throw invalid(
      option,
      'the Consumer Key of your Salesforce app, from its OAuth settings; it is missing or empty. With configurationFromEnv(), set ' +
        'the environment variable SALESFORCE_CLIENT_ID',
    );
  }
  checkCopied(option, value, 'Consumer Key');
  return value;
}

/** What Salesforce asks the user; false to ask what Salesforce wants. */
export function parsePrompt(option: string, value: unknown): Prompt | false | undefined {
  if (value === false) return false;
  return oneOf(option, value, ['login', 'consent', 'select_account', 'login consent']);
}

/** Scopes as a list, from an array or a text separated by spaces. */
export function parseScope(option: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const list: unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [undefined];
  const scopes = list.filter((scope) => scope !== '');
  if (scopes.some((scope) => typeof scope === 'string' && scope.includes(','))) {
    throw invalid(
      option,
      "an array of scopes, or a string of scopes separated by spaces and not by commas: 'openid api'",
    );
  }
  // RFC 6749, section 3.3: scope-token
  if (
    !scopes.every((scope): scope is string => typeof scope === 'string' && /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope))
  ) {
    throw invalid(option, "an array of scopes, or a string of scopes separated by spaces, for instance 'openid api'");
  }
  return scopes;
}

/** A URL that Salesforce may send users back to, or a path. */
export function parseCallbackURL(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && (isPathAsSent(value) || isSecure(value))) return value;
  throw invalid(
    option,
    "one of the callback URLs registered in Salesforce, with https (http for localhost alone), or a path such as '/auth/salesforce/callback'",
  );
}

/** Whether a text is a path, maybe with a query, just as a browser sends it: another spelling would lead to no route. */
export function isPathAsSent(text: string): boolean {
  const origin = 'http://localhost';
  return /^\/(?![/\\])[^#]*$/.test(text) && parseUrl(origin + text)?.href === origin + text;
}

/** The URL parser takes blanks around a URL, and one without slashes. Salesforce would see another URL than the registered one. */
function isSecure(text: string): boolean {
  const url = /^https?:\/\/[^\s\\#]+$/i.test(text) ? parseUrl(text) : undefined;
  return url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)));
}

/** A host, maybe with a port; or a suffix of hosts, which is for the default port alone. */
const allowedHost = /^(?:[\w-]+(?:\.[\w-]+)*(?::\d{1,5})?|(?:\.[\w-]+)+)$/;

/** Hosts as they are compared. */
export function parseAllowedHosts(option: string, value: unknown): readonly string[] {
  if (value === undefined) return [];
  const isHost = (host: unknown): host is string => typeof host === 'string' && allowedHost.test(host);
  if (!Array.isArray(value) || !value.every(isHost)) {
    throw invalid(option, "an array of host names such as 'support.example.com', without scheme or path");
  }
  return value.map((host) => host.toLowerCase().replace(/:443$/, ''));
}

/** Parameters that the login does not set itself. */
export function parseAuthorizationParams(option: string, value: unknown): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isPlainObject(value) || !Object.values(value).every((text) => typeof text === 'string')) {
    throw invalid(option, 'an object of strings');
  }
  const reserved = Object.keys(value).find((name) => reservedParams.has(name));
  if (reserved !== undefined) {
    throw invalid(option, `without '${reserved}', which the login sets itself; use the option of that name`);
  }
  return Object.freeze({ ...(value as Record<string, string>) });
}
