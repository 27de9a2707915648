import { style } from './style';

/** Escapes a text for elements and quoted attributes of HTML and XML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A page around trusted markup. */
export function page(title: string, content: string, display = 'page'): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} | Salesforce emulator</title><link rel="icon" href="data:,"><style>${style}</style></head>
<body><main class="${escapeHtml(display)}"><p class="brand">Salesforce emulator</p>
<h1>${escapeHtml(title)}</h1>${content}</main></body></html>`;
}

/** Hidden fields of a form. */
export function hiddenFields(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
}
