/**
 * Draws the screens of Salesforce's Setup that docs/guide/salesforce-setup.md walks through, as our own layouts. They show
 * the positions and names of fields, not the look of Salesforce. `npm run drawings` writes them to docs/images.
 */
import { writeFileSync } from 'node:fs';

/**
 * @typedef {['heading' | 'field' | 'box' | 'empty box' | 'locked box' | 'choice' | 'button' | 'entry' | 'note', string,
 * string?]} Row
 */
/** @typedef {{ title: string, path: string, tabs?: readonly string[], tab?: string, rows: readonly Row[] }} Screen */

/** @type {Record<string, Screen>} */
const screens = {
  'setup-external-client-app-manager': {
    title: 'External Client App Manager',
    path: 'Setup › Apps › External Client Apps › External Client App Manager',
    rows: [
      ['button', 'New External Client App'],
      ['entry', 'My web application', 'Local · Enabled'],
      ['entry', 'Another app', 'Packaged · Enabled'],
      ['note', 'Click the name of an app to open its tabs Settings and Policies.'],
    ],
  },
  'setup-new-external-client-app': {
    title: 'New External Client App',
    path: 'External Client App Manager › New External Client App',
    rows: [
      ['heading', 'Basic Information'],
      ['field', 'External Client App Name', 'My web application'],
      ['field', 'API Name', 'My_web_application'],
      ['field', 'Contact Email', 'you@example.com'],
      ['choice', 'Distribution State', 'Local'],
      ['heading', 'API (Enable OAuth Settings)'],
      ['box', 'Enable OAuth'],
      ['field', 'Callback URL', 'https://app.example.com/auth/salesforce/callback'],
      ['field', 'OAuth Scopes', 'openid, id, api, refresh_token → Selected'],
      ['button', 'Create'],
    ],
  },
  'setup-oauth-settings': {
    title: 'Settings › OAuth Settings',
    path: 'External Client App Manager › My web application',
    tabs: ['Settings', 'Policies'],
    tab: 'Settings',
    rows: [
      ['heading', 'OAuth Settings'],
      ['button', 'Consumer Key and Secret'],
      ['field', 'Callback URL', 'https://app.example.com/auth/salesforce/callback'],
      ['heading', 'Flow Enablement'],
      ['empty box', 'Enable Authorization Code and Credentials Flow', 'as you like'],
      ['heading', 'Security'],
      ['box', 'Require Secret for Web Server Flow'],
      ['box', 'Require Secret for Refresh Token Flow'],
      ['locked box', 'Require Proof Key for Code Exchange (PKCE)', 'reported: grayed out'],
      ['locked box', 'Enable Refresh Token Rotation', 'reported: grayed out'],
      ['note', 'Edit, at the top of the tab, opens these settings for a change.'],
    ],
  },
  'setup-policies': {
    title: 'Policies › Edit',
    path: 'External Client App Manager › My web application',
    tabs: ['Settings', 'Policies'],
    tab: 'Policies',
    rows: [
      ['button', 'Edit'],
      ['heading', 'OAuth Policies'],
      ['choice', 'Permitted Users', 'All users may self-authorize'],
      ['field', 'Start URL', 'https://app.example.com/'],
      ['heading', 'App Authorization'],
      ['choice', 'Refresh Token Policy', 'Expire if not used for 30 days (reported: grayed out)'],
      ['choice', 'IP Relaxation', 'Enforce IP restrictions, or relax them'],
      ['note', 'The session timeout is in Setup › Session Settings if the app has no policy of its own.'],
    ],
  },
  'setup-app-manager': {
    title: 'App Manager, with an app of before',
    path: 'Setup › Apps › App Manager',
    rows: [
      ['entry', 'My web application', 'Connected   ▾  View · Edit · Manage'],
      ['heading', 'View'],
      ['button', 'Manage Consumer Details'],
      ['heading', 'Edit › API (Enable OAuth Settings)'],
      ['box', 'Enable OAuth Settings'],
      ['field', 'Callback URL', 'https://app.example.com/auth/salesforce/callback'],
      ['field', 'Selected OAuth Scopes', 'openid, id, api, refresh_token'],
      ['box', 'Require Proof Key for Code Exchange (PKCE)'],
      ['box', 'Require Secret for Web Server Flow'],
      ['box', 'Require Secret for Refresh Token Flow'],
      ['empty box', 'Enable Authorization Code and Credentials Flow', 'as you like'],
      ['empty box', 'Enable Refresh Token Rotation', 'your decision'],
      ['heading', 'Manage › Edit Policies'],
      ['choice', 'Permitted Users', 'All users may self-authorize'],
      ['choice', 'IP Relaxation', 'Enforce IP restrictions, or relax them'],
      ['choice', 'Refresh Token Policy', 'Valid until revoked'],
    ],
  },
};

const width = 760;
const left = 28;
const right = width - left;
const step = 34;

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** @param {number} x @param {number} y @param {string} text @param {string} [attributes] */
const words = (x, y, text, attributes = '') => `<text x="${x}" y="${y}" ${attributes}>${escaped(text)}</text>`;

/** @param {Row} row @param {number} y */
function draw([kind, label, value = ''], y) {
  const base = y + 22;
  switch (kind) {
    case 'heading':
      return `<line class="rule" x1="${left}" y1="${y + 30}" x2="${right}" y2="${y + 30}"/>${words(left, base, label, 'class="heading"')}`;
    case 'button': {
      const length = label.length * 7.4 + 28;
      return `<rect class="button" x="${right - length}" y="${y + 3}" width="${length}" height="27" rx="4"/>${words(right - length / 2, base - 1, label, 'class="on-button" text-anchor="middle"')}`;
    }
    case 'box':
    case 'empty box':
    case 'locked box': {
      const tick = kind === 'empty box' ? '' : `<path class="tick" d="M${left + 4} ${y + 18} l4 4 l7 -9"/>`;
      const style = kind === 'locked box' ? 'box locked' : 'box';
      return `<rect class="${style}" x="${left}" y="${y + 8}" width="19" height="19" rx="3"/>${tick}${words(left + 32, base, label)}${words(right, base, value, 'class="hint" text-anchor="end"')}`;
    }
    case 'entry':
      return `<line class="rule" x1="${left}" y1="${y + 32}" x2="${right}" y2="${y + 32}"/>${words(left, base, label, 'class="link"')}${words(right, base, value, 'class="hint" text-anchor="end"')}`;
    case 'note':
      return words(left, base, label, 'class="hint"');
    default: {
      const mark = kind === 'choice' ? words(right - 12, base, '▾', 'class="hint" text-anchor="end"') : '';
      return `${words(left, base, label)}<rect class="input" x="260" y="${y + 4}" width="${right - 260}" height="26" rx="4"/>${words(270, base, value, 'class="value"')}${mark}`;
    }
  }
}

/** @param {Screen} screen */
function svgOf({ title, path, tabs = [], tab, rows }) {
  const top = tabs.length > 0 ? 126 : 92;
  const height = top + rows.length * step + 16;
  const drawnTabs = tabs.map((name, index) => {
    const x = left + index * 110;
    const line = name === tab ? `<line class="current" x1="${x}" y1="118" x2="${x + 84}" y2="118"/>` : '';
    return `${words(x, 108, name, name === tab ? 'class="heading"' : '')}${line}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">
<title id="title">Drawing of the layout: ${escaped(title)}</title>
<style>
text { font: 14px system-ui, sans-serif; fill: #1f2937; }
.title { font-size: 19px; font-weight: 600; } .heading { font-weight: 600; }
.hint { fill: #5b6472; font-size: 13px; } .value { fill: #374151; font-size: 13px; } .link { fill: #1d4ed8; }
.paper { fill: #fff; stroke: #9aa3af; stroke-dasharray: 6 4; } .rule { stroke: #d5d9df; } .current { stroke: #1d4ed8; stroke-width: 3; }
.input, .box { fill: #f8fafc; stroke: #9aa3af; } .locked { fill: #d5d9df; } .tick { fill: none; stroke: #1d4ed8; stroke-width: 2.5; }
.button { fill: #1d4ed8; } .on-button { fill: #fff; font-size: 13px; }
</style>
<rect class="paper" x="1" y="1" width="${width - 2}" height="${height - 2}" rx="8"/>
${words(left, 34, path, 'class="hint"')}${words(right, 34, 'drawing', 'class="hint" text-anchor="end"')}
${words(left, 68, title, 'class="title"')}
${drawnTabs.join('\n')}
${rows.map((row, index) => draw(row, top + index * step)).join('\n')}
</svg>
`;
}

for (const [name, screen] of Object.entries(screens)) {
  const file = `docs/images/${name}.svg`;
  writeFileSync(file, svgOf(screen));
  console.log(file);
}
