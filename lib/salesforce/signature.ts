import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Whether `signature` is Base64(HMAC-SHA256(client secret, id + issued_at)), compared in constant time.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_oauth_web_server_flow.htm
 */
export function isSignatureValid(clientSecret: string, id: string, issuedAt: string, signature: string): boolean {
  const expected = createHmac('sha256', clientSecret)
    .update(id + issuedAt)
    .digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === expected.length && timingSafeEqual(given, expected);
}
