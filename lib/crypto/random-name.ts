import { randomBytes } from 'node:crypto';

/** A random name: of a generation, a holder, a claim or a login. 96 bits, in 16 characters that a URL can have. */
export function randomName(): string {
  return randomBytes(12).toString('base64url');
}
