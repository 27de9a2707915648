/** A base that no application has. It shows how a browser would resolve a reference. */
const anyOrigin = 'http://return-to.invalid';

/** Longest path kept, in characters, after escaping: it travels in a cookie. */
const maxLength = 2048;

/** How often a path is decoded on its way at most, by proxies and the application. */
const maxDecodings = 4;

/**
 * The path, with query and fragment, to return to after a login; undefined for anything that could lead elsewhere.
 *
 * Browsers take `//host`, `/\host` and either with control characters in between for another host; proxies may decode
 * `%2f`, `%5c` and `%09` before they decide.
 */
export function safeReturnTo(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > maxLength || !isPath(value)) return undefined;
  const url = sameOrigin(value);
  if (!url) return undefined;
  const path = url.pathname + url.search + url.hash;
  // Looked at again as normalised, since `/.//host` becomes `//host`.
  return path.length <= maxLength && isPath(path) && staysDecoded(url.pathname) ? path : undefined;
}

function isPath(value: string): boolean {
  if (!/^\/(?!\/)/.test(value) || value.includes('\\')) return false;
  return Array.from(value).every((character) => character > ' ' && character !== '\x7f');
}

function sameOrigin(reference: string): URL | undefined {
  try {
    const url = new URL(reference, anyOrigin);
    return url.origin === anyOrigin ? url : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a path stays on this origin, also if proxies decode it before a browser reads it. */
function staysDecoded(path: string): boolean {
  let current = path;
  for (let round = 0; round < maxDecodings; round++) {
    const decoded = decodedOnce(current);
    if (decoded === current) return true;
    const url = sameOrigin(decoded);
    if (!url || url.pathname.startsWith('//')) return false;
    current = decoded;
  }
  return !current.includes('%25');
}

/** Decodes each escape by itself, so that an invalid escape does not hide the others. */
function decodedOnce(path: string): string {
  return path.replace(/%([0-7][0-9a-f])/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
