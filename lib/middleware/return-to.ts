/** A base that no application has, to see what a browser would make of a reference. */
const anyOrigin = 'http://return-to.invalid';

/**
 * The path, with query and fragment, to return to after a login; undefined for anything that could lead elsewhere.
 *
 * Browsers take `//host`, `/\host` and either with control characters in between for another host; proxies may decode
 * `%2f` and `%5c` before they decide.
 */
export function safeReturnTo(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > 2048 || !isPath(value)) return undefined;
  let url: URL;
  try {
    url = new URL(value, anyOrigin);
  } catch {
    return undefined;
  }
  const path = url.pathname + url.search + url.hash;
  // Looked at again as normalised, since `/.//host` becomes `//host`.
  return url.origin === anyOrigin && isPath(path) ? path : undefined;
}

function isPath(value: string): boolean {
  if (!/^\/(?!\/|%(?:25)*2f|%(?:25)*5c)/i.test(value) || value.includes('\\')) return false;
  return Array.from(value).every((character) => character > ' ' && character !== '\x7f');
}
