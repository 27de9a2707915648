import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import type { Addresses } from '../address';
import { invalid, optionalText } from '../options/check';
import type { Configuration, Display } from '../options/configuration';
import { clientLoginOptions } from '../options/parts/client';
import { parseAuthorizationParams, parsePrompt, parseScope, type Prompt } from '../options/values';
import { parseRequestedBaseUrl } from '../salesforce/base-url';

/** What one call of a login can set. What a call leaves out comes from the configuration. */
export interface LoginRequestOptions {
  /** `prompt` on the wire; false sends none. Default: that of the configuration. */
  prompt?: Prompt | false | undefined;
  /** `display` on the wire. Default: that of the configuration. */
  display?: Display | undefined;
  /** `login_hint` on the wire. Default: that of the configuration. */
  loginHint?: string | undefined;
  /** `scope` on the wire, as an array or separated by spaces. Default: that of the configuration. */
  scope?: string | readonly string[] | undefined;
  /**
   * Where to log in. Must be on a trusted host, since it receives the client secret; of Salesforce's own hosts `login.`, `test.`
   * or `*.my.salesforce.com`, without a path. Default: that of the configuration.
   */
  baseUrl?: string | undefined;
  /** `redirect_uri` on the wire: a registered callback URL, or a path below the application's root. Default: that of the configuration. */
  callbackURL?: string | undefined;
  /** Further parameters of the authorization request, added to those of the configuration. Default: none. */
  authorizationParams?: Readonly<Record<string, string>> | undefined;
  /**
   * Ask Salesforce without showing anything: `immediate=true` on the wire, and no `prompt`. If the browser is not logged in
   * there, or the app is not approved, the callback says so at once. Default false.
   */
  silent?: boolean | undefined;
}

/** One login on its way out: what goes into the authorization request, and what must be known when it comes back. */
export interface LoginRequest {
  configuration: Configuration;
  baseUrl: string;
  callbackURL: string;
  nonce: string | undefined;
  params: Record<string, string>;
  scope: readonly string[];
}

/**
 * Puts an authorization request together from the configuration and the options of the call; the call wins.
 *
 * @throws SalesforceOptionError for a wrong `prompt`, `display`, `baseUrl` or `callbackURL` of the call
 */
export function loginRequest(
  configuration: Configuration,
  options: LoginRequestOptions,
  callbackURL: string,
): LoginRequest {
  const scope = options.scope === undefined ? configuration.scope : parseScope('scope', options.scope);
  const display = clientLoginOptions.display.parse('display', options.display) ?? configuration.display;
  const loginHint = optionalText('loginHint', options.loginHint) ?? configuration.loginHint;
  const nonce = scope.includes('openid') ? randomBytes(24).toString('base64url') : undefined;
  const prompt = options.silent === true ? false : (parsePrompt('prompt', options.prompt) ?? configuration.prompt);
  const extra = parseAuthorizationParams('authorizationParams', options.authorizationParams);
  return {
    configuration,
    baseUrl:
      options.baseUrl === undefined
        ? configuration.baseUrl
        : parseRequestedBaseUrl(options.baseUrl, configuration.trustedHosts),
    callbackURL,
    nonce,
    scope,
    params: {
      ...configuration.authorizationParams,
      ...extra,
      ...(prompt === false ? {} : { prompt }),
      ...(options.silent === true ? { immediate: 'true' } : {}),
      ...(display === undefined ? {} : { display }),
      ...(loginHint === undefined ? {} : { login_hint: loginHint }),
      ...(nonce === undefined ? {} : { nonce }),
    },
  };
}

/**
 * The callback URL as it is sent, put together by the URL parser. A path is below the application's root.
 *
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID`
 */
export function absoluteCallbackURL(req: Request, callbackURL: string | undefined, addresses: Addresses): string {
  // A relative URL without a slash would mean another page at each route.
  if (callbackURL === undefined || !/^(?:\/|https?:\/\/)/i.test(callbackURL)) {
    throw invalid(
      'callbackURL',
      "set: one of the callback URLs registered in Salesforce, or a path such as '/auth/salesforce/callback'",
    );
  }
  return callbackURL.startsWith('/') ? addresses.urlOf(req, callbackURL) : callbackURL;
}
