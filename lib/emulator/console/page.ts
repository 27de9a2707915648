import { escapeHtml } from '../pages/html';
import { style } from '../pages/style';
import type { Provider } from '../provider';
import { faultKinds, faultOperations, clockSteps } from './actions';
import { consoleStyle } from './style';

/** The page of the console, around the part that updates itself. */
export function consolePage(provider: Provider, live: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Console | Salesforce emulator</title><link rel="icon" href="data:,"><style>${style}${consoleStyle}</style>
<script src="/console/script.js" defer></script></head>
<body class="console"><main><p class="brand">Salesforce emulator</p><h1>Console</h1>
<p class="hint" id="hint">Reload the page to see changes.</p><p class="hint" id="state" role="status"></p>
<div class="columns"><div id="live">${live}</div><div class="controls">
<section aria-labelledby="tokens"><h2 id="tokens">Tokens</h2>${tokenForm(provider)}</section>
<section aria-labelledby="clock"><h2 id="clock">Clock</h2>${clockForm()}</section>
<section aria-labelledby="faults"><h2 id="faults">Faults</h2>${faultForms()}</section>
<section aria-labelledby="clients"><h2 id="clients">Clients</h2>${clients(provider)}</section>
<section aria-labelledby="users"><h2 id="users">Users</h2>${users(provider)}</section>
</div></div></main></body></html>`;
}

function tokenForm({ users: all }: Provider): string {
  const names = all.map(({ username }) => option(username, username));
  return `<form method="post" action="/console/expire"><label for="username">User</label>
<select id="username" name="username"><option value="">all users</option>${names.join('')}</select>
<div class="buttons"><button>Expire access tokens</button>
<button class="quiet" formaction="/console/revoke">Revoke all tokens</button></div></form>`;
}

function clockForm(): string {
  const buttons = [
    ...Object.keys(clockSteps).map((name) => ({ name: `Let ${name} pass`, value: name })),
    { name: 'Stop', value: 'freeze' },
    { name: 'Continue', value: 'unfreeze' },
  ];
  return `<form method="post" action="/console/clock"><div class="buttons">${buttons
    .map(
      ({ name, value }) =>
        `<button class="quiet" name="step" value="${escapeHtml(value)}">${escapeHtml(name)}</button>`,
    )
    .join('')}</div></form>`;
}

function faultForms(): string {
  return `<form method="post" action="/console/fault"><label for="on">Request</label>
<select id="on" name="on">${faultOperations.map((name) => option(name, name)).join('')}</select>
<label for="kind">Fault</label>
<select id="kind" name="kind">${Object.keys(faultKinds)
    .map((name) => option(name, name))
    .join('')}</select>
<label class="check"><input type="checkbox" name="repeat" value="yes"> Repeat until removed</label>
<div class="buttons"><button>Add fault</button><button class="quiet" formaction="/console/clear">Remove all faults</button></div></form>`;
}

function clients({ clients: { list } }: Provider): string {
  return `<ul class="rows">${list
    .map(({ clientID, clientSecret, callbackURLs, policy }) => {
      const { rotateRefreshTokens, requirePkce, accessTokenFormat, locked } = policy;
      const facts = [
        clientSecret === '' ? 'public' : 'with a secret',
        requirePkce ? 'PKCE required' : 'PKCE optional',
        `${accessTokenFormat} access tokens`,
        rotateRefreshTokens ? 'rotation on' : 'rotation off',
        ...(locked ? ['PKCE and rotation locked'] : []),
      ];
      return `<li><p><code>${escapeHtml(clientID)}</code></p><p class="hint">${facts.join(' · ')}</p>
<p class="parameters">${callbackURLs.map((url) => `<span>${escapeHtml(url)}</span>`).join('')}</p>
${locked ? '' : rotationForm(clientID, rotateRefreshTokens)}</li>`;
    })
    .join('')}</ul>`;
}

function rotationForm(clientID: string, isOn: boolean): string {
  return `<form method="post" action="/console/rotate"><button class="quiet" name="client" value="${escapeHtml(clientID)}">Turn rotation ${isOn ? 'off' : 'on'}</button></form>`;
}

function users({ users: all, organizations }: Provider): string {
  return `<ul class="rows">${all
    .map(({ username, displayName, organizationId, active, password }) => {
      const organization = organizations.find((one) => one.organizationId === organizationId)?.name ?? organizationId;
      return `<li><p><strong>${escapeHtml(displayName)}</strong>${active ? '' : ' <span class="status bad">inactive</span>'}
<span class="hint">${escapeHtml(organization)}</span></p>
<p class="parameters"><span>${escapeHtml(username)}</span><span><b>password</b> ${escapeHtml(password)}</span></p></li>`;
    })
    .join('')}</ul>`;
}

function option(value: string, name: string): string {
  return `<option value="${escapeHtml(value)}">${escapeHtml(name)}</option>`;
}
