import { createHash, timingSafeEqual } from 'node:crypto';
import type { Exchange } from '../http/exchange';
import { oauthError, type Reply } from '../http/reply';
import type { Provider } from '../provider';
import type { EmulatorClient } from '../state/clients';
import { addressError } from './app-access';
import { audiencesOf, isCurrent, isFirstUse, isSignedBy, readClaims } from './assertion';

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/**
 * The client of a request (RFC 6749, section 2.3), with `proven` if its credentials are right; or the error that refuses the
 * client.
 */
export type ClientAuthentication = { client: EmulatorClient; proven: boolean } | { refused: Reply };

/**
 * Identifies the client by form fields, Basic header or signed assertion. Credentials in the request are always checked, even
 * if the app does not require them. Two kinds of credentials at once are refused, as the RFC says.
 */
export function authenticateClient(provider: Provider, exchange: Exchange): ClientAuthentication {
  const { form } = exchange;
  const basic = readBasic(exchange.header('authorization'));
  if (basic === 'malformed') return refuse('invalid_basic_auth_header', 'invalid basic authentication header');
  const assertion = form.get('client_assertion');
  const methods = [basic !== undefined, form.has('client_secret'), assertion !== null].filter(Boolean).length;
  if (methods > 1) return refuse('invalid_request', 'more than one client authentication method');

  const clientID = basic?.clientID ?? form.get('client_id') ?? subjectOf(assertion);
  if (basic && form.has('client_id') && form.get('client_id') !== basic.clientID) {
    return refuse('invalid_client', 'invalid client credentials');
  }
  const client = provider.clients.find(clientID);
  if (!client) return refuse('invalid_client_id', 'client identifier invalid');
  if (assertion !== null) {
    const isValid =
      form.get('client_assertion_type') === assertionType && isAssertionValid(provider, client, assertion);
    return isValid ? { client, proven: true } : refuse('invalid_client', 'invalid client credentials');
  }
  const secret = basic?.secret ?? form.get('client_secret');
  if (secret === null) return { client, proven: false };
  return isSameText(secret, client.clientSecret) && client.clientSecret !== ''
    ? { client, proven: true }
    : refuse('invalid_client', 'invalid client credentials');
}

/** Authenticates the client of a code or refresh token, as the app's settings require it, and checks the client's address. */
export function authenticateUserFlow(
  provider: Provider,
  exchange: Exchange,
  requirement: 'requireSecretForWebServerFlow' | 'requireSecretForRefreshTokenFlow',
): ClientAuthentication {
  const authentication = authenticateClient(provider, exchange);
  if ('refused' in authentication) return authentication;
  const { client, proven } = authentication;
  if (client.policy[requirement] && !proven) return refuse('invalid_client', 'invalid client credentials');
  const wrongAddress = addressError(client, exchange);
  return wrongAddress ? { refused: wrongAddress } : authentication;
}

function refuse(error: string, description: string): { refused: Reply } {
  return { refused: oauthError(error, description) };
}

function readBasic(header: string | undefined): { clientID: string; secret: string } | 'malformed' | undefined {
  const match = /^Basic +(.*)$/i.exec(header ?? '');
  if (!match) return undefined;
  const text = Buffer.from(match[1] ?? '', 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1) return 'malformed';
  try {
    // RFC 6749, section 2.3.1: each part is form-encoded.
    const [clientID, secret] = [text.slice(0, colon), text.slice(colon + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', ' ')),
    );
    return { clientID: clientID ?? '', secret: secret ?? '' };
  } catch {
    return 'malformed';
  }
}

function subjectOf(assertion: string | null): string | null {
  const subject = assertion === null ? undefined : readClaims(assertion)?.['sub'];
  return typeof subject === 'string' ? subject : null;
}

/** Endpoints that authenticate clients. An assertion may name any of them as its audience. */
const endpoints = ['', '/services/oauth2/token', '/services/oauth2/introspect', '/services/oauth2/revoke'];

/** Checks a `private_key_jwt` assertion (RFC 7523, section 3). */
function isAssertionValid(provider: Provider, client: EmulatorClient, assertion: string): boolean {
  const claims = readClaims(assertion);
  if (claims?.['iss'] !== client.clientID || claims['sub'] !== client.clientID) return false;
  const { origins, sitePath } = provider.hosts;
  const audiences = audiencesOf(claims);
  const isForUs = [...origins].some((origin) =>
    ['', sitePath].some((site) => endpoints.some((path) => audiences.includes(origin + site + path))),
  );
  return isForUs && isCurrent(provider, claims) && isSignedBy(client, assertion) && isFirstUse(provider, claims);
}

function isSameText(one: string, other: string): boolean {
  const [left, right] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
