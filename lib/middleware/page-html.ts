import { createHash } from 'node:crypto';

/** Colours with a contrast of at least 4.5 to 1, in light and in dark. */
const style = `
:root{color-scheme:light dark;--back:#f4f5f8;--card:#fff;--text:#1b2233;--quiet:#545d73;--line:#d7dbe5;--link:#0b5cab;--on-link:#fff}
@media(prefers-color-scheme:dark){:root{--back:#12151d;--card:#1c212c;--text:#e9ecf3;--quiet:#a3abbd;--line:#343b4a;--link:#8cc2ff;--on-link:#0b1626}}
*{box-sizing:border-box}
body{margin:0;padding:8vh 1rem 2rem;background:var(--back);color:var(--text);font:1rem/1.55 system-ui,sans-serif}
main{max-width:34rem;margin:0 auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.75rem}
h1{margin:0 0 .75rem;font-size:1.45rem;line-height:1.25}
p{margin:0 0 1rem}
nav{display:flex;flex-wrap:wrap;gap:.75rem;margin:1.5rem 0}
a{display:inline-block;padding:.6rem 1rem;border:1px solid var(--link);border-radius:.5rem;color:var(--link);font-weight:600;text-decoration:none}
a:first-child,button.first{background:var(--link);color:var(--on-link)}
a:hover{text-decoration:underline}
a:focus-visible{outline:3px solid var(--link);outline-offset:3px}
form{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:0 0 1.5rem}
label{flex:1 1 14rem;font-weight:600}
input{display:block;width:100%;margin-top:.25rem;padding:.6rem .75rem;border:1px solid var(--quiet);border-radius:.5rem;background:var(--card);color:var(--text);font:inherit;font-weight:400}
nav:last-child,form:last-child{margin-bottom:0}
button{padding:.6rem 1rem;border:1px solid var(--link);border-radius:.5rem;background:none;color:var(--link);font:inherit;font-weight:600;cursor:pointer}
input:focus-visible,button:focus-visible{outline:3px solid var(--link);outline-offset:3px}
.wrong{padding:.6rem 1rem;border-left:4px solid #c23934}
footer{padding-top:1rem;border-top:1px solid var(--line);color:var(--quiet);font-size:.85rem}
code{overflow-wrap:anywhere}
`;

let styleDigest: string | undefined;

/** Headers of a page: no scripts, no external content, no frames, and no query in the referrer of its links. */
export function pageHeaders(): Readonly<Record<string, string>> {
  styleDigest ??= createHash('sha256').update(style).digest('base64');
  return {
    'Cache-Control': 'no-store',
    'Content-Security-Policy':
      `default-src 'none'; style-src 'sha256-${styleDigest}'; ` +
      "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

/**
 * A page of this package.
 *
 * @param content HTML, escaped by the caller
 * @param head further HTML of the head
 */
export function pageHtml(title: string, content: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>${head}
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>
`;
}

/** A text as HTML, also within quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
