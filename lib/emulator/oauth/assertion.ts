import { createPublicKey, verify } from 'node:crypto';
import { parseJsonObject } from '../../json-object';
import type { Provider } from '../provider';
import type { EmulatorClient } from '../state/clients';

/** Clock skew Salesforce allows a JWT. */
const skewSeconds = 180;

/** The claims of a JWT, without proof; undefined if the text is no JWT. */
export function readClaims(token: string): Record<string, unknown> | undefined {
  return readPart(token, 1);
}

/** Whether a JWT is signed with RS256 by the key that was uploaded for the client. */
export function isSignedBy({ publicKey }: EmulatorClient, token: string): boolean {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!publicKey || signature === undefined || rest.length > 0) return false;
  if (readPart(token, 0)?.['alg'] !== 'RS256') return false;
  const key = createPublicKey({ key: publicKey, format: 'jwk' });
  return verify('sha256', Buffer.from(`${header ?? ''}.${payload ?? ''}`), key, Buffer.from(signature, 'base64url'));
}

/** Whether a JWT has an end, and it has not come. */
export function isCurrent(provider: Provider, { exp }: Record<string, unknown>): boolean {
  return typeof exp === 'number' && exp + skewSeconds >= provider.clock.now() / 1000;
}

/** Whether a JWT with a name is seen for the first time (RFC 7523, section 3); one without a name may come again. */
export function isUsedFirst(provider: Provider, { iss, jti, exp }: Record<string, unknown>): boolean {
  if (typeof jti !== 'string') return true;
  const { assertions, clock } = provider;
  const name = JSON.stringify([iss, jti]);
  for (const [known, end] of assertions) {
    if ((end + skewSeconds) * 1000 < clock.now()) assertions.delete(known);
  }
  if (assertions.has(name)) return false;
  assertions.set(name, Number(exp));
  return true;
}

/** `aud`, which may be one text or a list. */
export function audiencesOf({ aud }: Record<string, unknown>): unknown[] {
  return [aud].flat();
}

function readPart(token: string, index: number): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8'));
}
