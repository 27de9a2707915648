import { randomBytes } from 'node:crypto';

/** A random name for a generation, a holder, a claim or a login: 96 bits in 16 characters that are valid in a URL. */
export function randomName(): string {
  return randomBytes(12).toString('base64url');
}
