import { keysInOrder, noteTaken } from '../client-authentication/client-authentication';
import type { SigningKey } from '../client-authentication/client-key';
import { signClaims } from '../client-authentication/signed-claims';
import type { Clock } from '../clock';
import { SalesforceOptionError } from '../errors';
import type { Configuration } from '../options/configuration';
import { TokenClient } from '../token/client';
import type { LeaveGate } from '../token/host-gates';
import type { SendGuard } from '../token/send-guard';
import { TokenRequestError } from '../token/token-error';
import { toTokenSet } from '../token/token-set';
import type { TokenEndpointReply, TokenSet } from '../token/types';

/** How an app token is requested. */
export interface AppTokenRequest {
  baseUrl: string;
  app: NonNullable<TokenSet['app']>;
}

/** What a request goes out with. Guard and place are missing if it is made under no claim. */
interface Sending {
  clock: Clock;
  guard?: SendGuard | undefined;
  place?: LeaveGate | undefined;
}

/**
 * Asks for a token of the application itself: by client credentials (RFC 6749, section 4.4), or for a user with a JWT that the
 * client key signed (RFC 7523, section 2.1). The request spends nothing, so it may be sent again.
 *
 * @throws TokenRequestError that ends no grant, or a transport error
 */
export async function requestAppToken(
  { baseUrl, app }: AppTokenRequest,
  configuration: Configuration,
  sending: Sending,
): Promise<TokenSet> {
  try {
    const client = new TokenClient(configuration, baseUrl, sending.clock);
    const reply =
      app.user === undefined
        ? await client.clientCredentialsGrant(sending.guard, sending.place)
        : await bearerGrant(client, { user: app.user, audience: app.audience ?? baseUrl }, configuration, sending);
    // A reply to a JWT has no signature. It came from the host itself, not through a browser, so it is believed.
    return { ...toTokenSet(reply, { ...configuration, clientSecret: undefined }, baseUrl), app };
  } catch (error) {
    throw error instanceof TokenRequestError ? harmless(error) : error;
  }
}

/** Signs with one key after the other: while the key is changed, Salesforce knows one of two. */
async function bearerGrant(
  client: TokenClient,
  { user, audience }: { user: string; audience: string },
  configuration: Configuration,
  { clock, guard, place }: Sending,
): Promise<TokenEndpointReply> {
  const { clientID, httpTimeoutMs } = configuration;
  const ask = async (key: SigningKey): Promise<TokenEndpointReply> => {
    const claims = { iss: clientID, sub: user, aud: audience };
    return client.jwtBearerGrant(await signClaims(claims, key, { clock, limitMs: httpTimeoutMs }), guard, place);
  };
  let refused: unknown = new SalesforceOptionError(
    'ERR_SALESFORCE_OPTION_INVALID',
    'clientKey',
    'clientKey is missing.',
  );
  for (const key of keysInOrder(configuration, clock)) {
    try {
      const reply = await ask(key);
      noteTaken(key, configuration, clock);
      return reply;
    } catch (error) {
      if (!(error instanceof TokenRequestError) || error.code !== 'ERR_SALESFORCE_CLIENT_REJECTED') throw error;
      refused = error;
    }
  }
  throw refused as Error;
}

/** No answer ends an app token for good: once the set-up is corrected, the next request brings one. */
function harmless(error: TokenRequestError): TokenRequestError {
  const isForGood = error.disposition === 'ended' || error.disposition === 'unknown' || error.disposition === 'busy';
  if (!isForGood) return error;
  const { code, message, status, error: said, errorDescription, upstreamStatus, askedForSeconds } = error;
  return new TokenRequestError('refused', code, message, {
    status,
    error: said,
    errorDescription,
    upstreamStatus,
    askedForSeconds,
  });
}
