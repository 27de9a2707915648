import { mayGetRefreshToken } from '../options/refresh';
import { MemoryTokenStore } from '../stores/memory';
import type { ParsedOptions } from './options';

/** Warnings that this process has given: an application may make several middlewares. */
const given = new Set<string>();

/** Says once in the life of a process what is likely to be a mistake in the options, although it need not be one. */
export function warnAtStart(options: ParsedOptions): void {
  for (const [code, message] of warningsOf(options)) {
    if (given.has(code)) continue;
    given.add(code);
    options.reporter.warn(code, message);
  }
}

function* warningsOf(options: ParsedOptions): Iterable<[code: string, message: string]> {
  const { store, secrets, isUnencryptedOnPurpose, source } = options;
  if (!secrets && !isUnencryptedOnPurpose && !(store instanceof MemoryTokenStore)) {
    yield [
      'UNENCRYPTED_TOKENS',
      'Access and refresh tokens are written to the token store in the clear. Who reads the store, or a backup of it, can act ' +
        'as your users. Set encryptionKeys to a random secret of at least 32 characters, the same on every server ' +
        '(openssl rand -base64 32), or to false if you mean it.',
    ];
  }
  if (admitsAnyOrganization(options)) {
    yield [
      'ANY_ORGANIZATION',
      'Users of any Salesforce organization may log in. Name yours in allowedOrganizations, decide in authorizeUser, or set ' +
        "allowedOrganizations to 'any' if you mean it.",
    ];
  }
  const { fixed } = source;
  if (fixed && !mayGetRefreshToken(fixed.scope)) {
    yield [
      'NO_REFRESH_TOKEN',
      'The scope has no refresh_token, so each login ends with its access token. Add refresh_token to scope, and to the scopes ' +
        'of the app in Salesforce.',
    ];
  }
}

/** Whether the options let users of every organization in. The app's own policies in Salesforce may be stricter. */
export function admitsAnyOrganization({
  source,
  routes,
  allowedOrganizations,
  isAnyOrganizationOnPurpose,
  authorizeUser,
}: ParsedOptions): boolean {
  const { fixed } = source;
  if (allowedOrganizations || isAnyOrganizationOnPurpose || authorizeUser || !fixed) return false;
  const takesMyDomain = fixed.anyMyDomain ?? routes.choose !== false;
  const baseUrls = [fixed.baseUrl, ...Object.values(fixed.organizations)];
  return takesMyDomain || baseUrls.some((url) => /^(?:login|test)\./.test(new URL(url).host));
}
