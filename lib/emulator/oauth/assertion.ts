import { createPublicKey, verify } from 'node:crypto';
import { parseJsonObject } from '../../json-object';
import type { Provider } from '../provider';
import type { EmulatorClient } from '../state/clients';

/** Clock skew that Salesforce allows for a JWT. */
const skewSeconds = 180;

/** The claims of a JWT, not verified. Undefined if the text is not a JWT. */
export function readClaims(token: string): Record<string, unknown> | undefined {
  return readPart(token, 1);
}

/** Whether the uploaded key of the client signed a JWT with RS256. */
export function isSignedBy({ publicKey }: EmulatorClient, token: string): boolean {
  const [header, payload, signature, ...rest] = token.split('.');
  if (!publicKey || signature === undefined || rest.length > 0) return false;
  if (readPart(token, 0)?.['alg'] !== 'RS256') return false;
  const key = createPublicKey({ key: publicKey, format: 'jwk' } as Parameters<typeof createPublicKey>[0]);
  return verify('sha256', Buffer.from(`${header ?? ''}.${payload ?? ''}`), key, Buffer.from(signature, 'base64url'));
}

/** Whether a JWT has an `exp` claim that is not over. */
export function isCurrent(provider: Provider, { exp }: Record<string, unknown>): boolean {
  return typeof exp === 'number' && exp + skewSeconds >= provider.clock.now() / 1000;
}

/**
 * Whether a JWT with a `jti` claim is used for the first time (RFC 7523, section 3). A JWT without `jti` may be used again.
 */
export function isFirstUse(provider: Provider, { iss, jti, exp }: Record<string, unknown>): boolean {
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

/** The audiences of a JWT. `aud` may be one text or a list. */
export function audiencesOf({ aud }: Record<string, unknown>): unknown[] {
  return [aud].flat();
}

function readPart(token: string, index: number): Record<string, unknown> | undefined {
  return parseJsonObject(Buffer.from(token.split('.')[index] ?? '', 'base64url').toString('utf8'));
}
