/** Text made safe for HTML and XML, in elements and quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
  :root { color-scheme: light }
  * { box-sizing: border-box }
  body { margin: 0; background: #f3f5f9; color: #16203a; font: 16px/1.5 system-ui, sans-serif }
  main { max-width: 26rem; margin: 8vh auto; padding: 2rem; background: #fff; border-radius: .75rem;
    box-shadow: 0 1px 3px #16203a26 }
  main.popup, main.touch, main.mobile { max-width: 100%; min-height: 100vh; margin: 0; border-radius: 0 }
  h1 { margin: 0 0 1rem; font-size: 1.35rem }
  label { display: block; margin: 1rem 0 .25rem; font-weight: 600 }
  input:not([type=hidden]) { width: 100%; padding: .6rem .7rem; border: 1px solid #6b7690; border-radius: .4rem; font: inherit }
  button { width: 100%; margin-top: 1rem; padding: .65rem; border: 1px solid #0b5cab; border-radius: .4rem;
    background: #0b5cab; color: #fff; font: inherit; font-weight: 600; cursor: pointer }
  button.quiet { background: #fff; color: #0b5cab }
  button:focus-visible, input:focus-visible { outline: 3px solid #ffb75d; outline-offset: 1px }
  [role=alert] { padding: .6rem .8rem; border-left: 4px solid #b3261e; background: #fdeceb; color: #7a1610 }
  aside { margin-top: 1.5rem; padding-top: 1rem; border-top: 1px solid #d5dae5; color: #46506a; font-size: .85rem }
  code { font-size: .8rem; overflow-wrap: anywhere } li { margin: .25rem 0 } ul { padding-left: 1.2rem }
`;

/** A whole page around trusted markup. */
export function page(title: string, content: string, display = 'page'): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} | Salesforce emulator</title><style>${style}</style></head>
<body><main class="${escapeHtml(display)}"><h1>${escapeHtml(title)}</h1>${content}</main></body></html>`;
}

/** Hidden fields of a form. */
export function hiddenFields(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`)
    .join('');
}
