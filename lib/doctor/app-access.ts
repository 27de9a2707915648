import { requestAppToken } from '../app/app-token';
import { checkAppOptions, identityOf, type AppOptions } from '../app/app-options';
import type { Clock } from '../clock';
import { isSalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { TokenClient } from '../token/client';
import type { Finding } from './findings';
import { safeMessage } from './safe-message';

/** Checks whether Salesforce gives an app token. The token is revoked at once and never stored. */
export async function checkAppToken(
  options: AppOptions,
  configuration: Configuration,
  clock: Clock,
): Promise<Finding[]> {
  const check = 'app-token';
  const as = options.user === undefined ? 'as the "Run As" user' : 'as the given user';
  try {
    checkAppOptions(options);
    const { user, baseUrl, audience } = identityOf(options, configuration);
    const app = user === undefined ? {} : { user, audience };
    const { accessToken, scope } = await requestAppToken({ baseUrl, app }, configuration, { clock });
    const isRevoked = await new TokenClient(configuration, baseUrl, clock).revoke(accessToken).then(
      () => true,
      () => false,
    );
    return [
      {
        check,
        level: 'ok',
        message: `Salesforce gives an app token ${as}, with the scopes ${scope.join(' ')}.`,
        baseUrl,
      },
      ...(isRevoked ? [] : [notRevoked(baseUrl)]),
    ];
  } catch (error) {
    if (!isSalesforceAuthError(error)) throw error;
    const level = error.isTransient ? 'unknown' : 'error';
    const message = `Salesforce gives no app token ${as}. ${safeMessage(error)}`;
    return [{ check, level, message, fix: 'See docs/guide/app-tokens.md.', code: error.code }];
  }
}

function notRevoked(baseUrl: string): Finding {
  return {
    check: 'app-token',
    level: 'warning',
    message: 'The app token of this check could not be revoked. The token ends by itself.',
    baseUrl,
  };
}
