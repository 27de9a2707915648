import { randomUUID } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import { within, type Clock } from '../clock';
import { debugHttp } from '../debug';
import { TokenRequestError } from '../token/token-error';
import type { SigningKey } from './client-key';

/** How long what is signed is good, in seconds. Salesforce is reported to refuse more than three minutes. */
const lifeSeconds = 120;

/**
 * Claims of a client as a signed JWT, with a name of its own and a short life (RFC 7523, section 3).
 *
 * @param limitMs how long a key service may take
 * @throws TokenRequestError `ERR_SALESFORCE_CLIENT_KEY` if the key service failed; nothing was sent to Salesforce then
 */
export async function signClaims(
  claims: { iss: string; sub: string; aud: string },
  key: SigningKey,
  { clock, limitMs }: { clock: Clock; limitMs: number },
): Promise<string> {
  const now = Math.floor(clock.now() / 1000);
  const payload = { ...claims, jti: randomUUID(), iat: now, exp: now + lifeSeconds };
  const header = {
    alg: key.algorithm,
    typ: 'JWT',
    ...(key.keyId === undefined ? {} : { kid: key.keyId }),
  };
  if (key.key) return new SignJWT(payload).setProtectedHeader(header).sign(key.key);
  return signElsewhere(header, payload, key, { clock, limitMs });
}

/** The same with a signature of a key service: JWS Compact Serialization (RFC 7515, section 7.1). */
async function signElsewhere(
  header: object,
  payload: JWTPayload,
  { sign, algorithm }: SigningKey,
  { clock, limitMs }: { clock: Clock; limitMs: number },
): Promise<string> {
  const input = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  let signature: unknown;
  try {
    const signing = Promise.resolve(sign?.(Buffer.from(input), algorithm));
    signature = await within(clock, limitMs, signing, () => new Error('No signature in time.'));
  } catch (error) {
    debugHttp('clientKey.sign failed');
    throw keyServiceFailed('did not sign', error);
  }
  if (!(signature instanceof Uint8Array) || signature.byteLength === 0) throw keyServiceFailed('gave no bytes');
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

function keyServiceFailed(what: string, cause?: unknown): TokenRequestError {
  return new TokenRequestError(
    'transient',
    'ERR_SALESFORCE_CLIENT_KEY',
    `The function sign of clientKey ${what}, so nothing was sent to Salesforce. Look at the key service; see the cause for where.`,
    { status: 503, cause, retryAfterSeconds: 5 },
  );
}
