import { createHash } from 'node:crypto';

/** A Lua script; each is one operation of the store, atomic and on the server's clock. */
export interface Script {
  text: string;
  sha: string;
}

export function scriptOf(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}
