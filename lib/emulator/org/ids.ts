import { randomBytes } from 'node:crypto';

const checkAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345';
const tokenAlphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** The 18-character form of a 15-character id. The three added characters encode which letters are upper case. */
export function toId18(id: string): string {
  if (id.length !== 15) return id;
  const suffix = [0, 5, 10].map((start) => {
    const capitals = Array.from(id.slice(start, start + 5), (character) => /[A-Z]/.test(character));
    return checkAlphabet.charAt(capitals.reduce((bits, capital, position) => bits | (Number(capital) << position), 0));
  });
  return id + suffix.join('');
}

/** Makes an id from a key prefix of three characters and a number. */
export function createId(prefix: string, number: number): string {
  return toId18(`${prefix}FAKE${String(number).padStart(8, '0')}`);
}

/** Random characters that need no escaping anywhere. */
export function randomText(length: number): string {
  return [...randomBytes(length)].map((byte) => tokenAlphabet.charAt(byte % tokenAlphabet.length)).join('');
}
