import { randomBytes } from 'node:crypto';
import { isKnown } from '../salesforce-errors/classify';
import type { Clock } from '../clock';
import { isSalesforceAuthError, type SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { TokenClient } from '../token/client';
import { safeMessage } from './safe-message';
import { reportText, type Finding } from './findings';

/** Checks whether Salesforce accepts the secret of the client, or each of its keys. */
export async function checkProofs(
  configuration: Configuration,
  baseUrl: string,
  callbackURL: string,
  clock: Clock,
): Promise<Finding[]> {
  const { clientKeys } = configuration;
  if (clientKeys.length === 0) return [await checkProof(configuration, baseUrl, callbackURL, clock)];
  const { clientKeyFindings } = await import('./client-key');
  const proofs = clientKeys.map((key) =>
    checkProof({ ...configuration, clientKeys: [key] }, baseUrl, callbackURL, clock),
  );
  return clientKeyFindings(await Promise.all(proofs));
}

/**
 * Sends an invalid code as the configured client. Salesforce refuses the client or, if the client is right, the code. No code
 * or refresh token is spent.
 */
async function checkProof(
  configuration: Configuration,
  baseUrl: string,
  callbackURL: string,
  clock: Clock,
): Promise<Finding> {
  const hasSecret = configuration.clientSecret !== undefined;
  const grant = {
    code: `not-a-code-${randomBytes(8).toString('hex')}`,
    redirectURI: callbackURL,
    codeVerifier: randomBytes(32).toString('base64url'),
  };
  try {
    await new TokenClient(configuration, baseUrl, clock).authorizationCodeGrant(grant);
    return unknown(
      baseUrl,
      'An invalid code was accepted. Another server, such as a proxy, answers in place of Salesforce.',
    );
  } catch (error) {
    if (!isSalesforceAuthError(error)) throw error;
    switch (error.code) {
      case 'ERR_SALESFORCE_CODE_REJECTED':
        return {
          baseUrl,
          check: 'client-secret',
          level: 'ok',
          message: hasSecret ? 'Salesforce accepts the client secret.' : 'The app needs no secret for a login.',
        };
      case 'ERR_SALESFORCE_CLIENT_REJECTED':
        return {
          baseUrl,
          check: 'client-secret',
          level: 'error',
          message: hasSecret ? 'Salesforce refuses the client secret.' : 'The app requires a secret, and none is set.',
          fix: hasSecret
            ? 'Set clientSecret (SALESFORCE_CLIENT_SECRET) to the Consumer Secret of the app with this Consumer Key. A change can take ten minutes to work.'
            : 'Set clientSecret (SALESFORCE_CLIENT_SECRET) to the Consumer Secret, or untick "Require Secret for Web Server Flow" and "Require Secret for Refresh Token Flow" for a public client.',
          code: error.code,
        };
      default:
        return refused(baseUrl, error as SalesforceAuthError);
    }
  }
}

function refused(baseUrl: string, error: SalesforceAuthError): Finding {
  if (error.isTransient) return unknown(baseUrl, `Salesforce could not be asked: ${safeMessage(error)}`);
  return {
    baseUrl,
    check: error.code === 'ERR_SALESFORCE_CLIENT_UNKNOWN' ? 'client-id' : 'client-secret',
    level: 'error',
    message: safeMessage(error),
    fix: `See the heading of the code in docs/reference/errors.md.${isKnownRefusal(error) ? '' : ` ${reportText}`}`,
    code: error.code,
  };
}

function isKnownRefusal({ error, errorDescription }: SalesforceAuthError): boolean {
  return error === undefined || isKnown('code', { error, errorDescription });
}

function unknown(baseUrl: string, message: string): Finding {
  return { baseUrl, check: 'client-secret', level: 'unknown', message, fix: 'Try again later.' };
}
