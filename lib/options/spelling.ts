import type * as Levenshtein from 'fastest-levenshtein';

/** The known word closest to `given`, if one is close enough to be meant. */
export function closestWord(given: string, known: readonly string[]): string | undefined {
  return closest(known.map((word) => ({ is: word, edits: edits(given, word), most: mostEdits(given) })));
}

/** A word that may be meant, how far the given one is from it, and how far that may be. */
export interface Candidate<T> {
  is: T;
  edits: number;
  most: number;
}

/** The candidate that is least far away, the first one of several. */
export function closest<T>(candidates: readonly Candidate<T>[]): T | undefined {
  return candidates.filter(({ edits: count, most }) => count <= most).sort((a, b) => a.edits - b.edits)[0]?.is;
}

/** How many letters make one word of the other, in whatever case. */
export function edits(a: string, b: string): number {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded only for a wrong name, which is reported at once
  const { distance } = require('fastest-levenshtein') as typeof Levenshtein;
  return distance(a.toLowerCase(), b.toLowerCase());
}

/** How many letters of a word may be wrong. */
export function mostEdits(word: string): number {
  return Math.max(2, Math.floor(word.length / 3));
}

/** The words of a name in alphabetical order, as singulars: `sessionKey`, `session.key` and `key_session` are the same. */
export function wordsIn(name: string): string {
  return [...name.matchAll(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g)]
    .map(([word]) => word.toLowerCase().replace(/s$/, ''))
    .sort()
    .join('');
}
