// @ts-check
/**
 * The pages of the example, as plain HTML.
 *
 * @typedef {import('express-salesforce-auth').SalesforceUser} User
 * @typedef {{ count: number, last: Date } | undefined} Refreshes
 * @typedef {{ Name: string, Industry: string | null, BillingCity: string | null }} Account
 */

/** @param {{ user: User | undefined, refreshes: Refreshes, isExpired: boolean }} data */
export function homePage({ user, refreshes, isExpired }) {
  if (!user) {
    return page({
      title: 'Log in with Salesforce',
      content: `<p class="lead">Log in to see who you are and the accounts of your organization.</p>
<p><a class="button" href="/auth/salesforce">Log in with Salesforce</a></p>`,
    });
  }
  const notice = isExpired
    ? `<p class="notice" role="status">The access token has just been ended at Salesforce.
Now open <a href="/accounts">your accounts</a>: they come all the same, with a new token.</p>`
    : '';
  return page({
    title: `Hello, ${user.displayName ?? user.username ?? user.userId}`,
    user,
    content: `${notice}
<dl class="card">
<dt>Username</dt><dd>${escapeHtml(user.username ?? 'unknown')}</dd>
<dt>Email</dt><dd>${escapeHtml(user.email ?? 'unknown')}</dd>
<dt>Organization</dt><dd><code>${escapeHtml(user.organizationId)}</code></dd>
</dl>
<p><a class="button" href="/accounts">See your accounts</a></p>
${tokenSection(refreshes)}`,
  });
}

/** @param {{ user: User, refreshes: Refreshes, accounts: Account[] }} data */
export function accountsPage({ user, refreshes, accounts }) {
  const items = accounts.map(({ Name, Industry, BillingCity }) => {
    const details = [Industry, BillingCity].filter(Boolean).join(' · ');
    return `<li><strong>${escapeHtml(Name)}</strong> <span class="quiet">${escapeHtml(details)}</span></li>`;
  });
  const list =
    items.length === 0
      ? '<p class="card">There are no accounts you may see.</p>'
      : `<ul class="card">${items.join('\n')}</ul>`;
  return page({ title: 'Accounts', user, content: `${list}\n${tokenSection(refreshes)}` });
}

/** @param {{ message: string, code?: string | undefined, retry: string }} data */
export function errorPage({ message, code, retry }) {
  return page({
    title: 'That did not work',
    content: `<div class="card" role="alert"><p>${escapeHtml(message)}</p>
${code === undefined ? '' : `<p class="quiet">Code: <code>${escapeHtml(code)}</code></p>`}</div>
<p><a class="button" href="${escapeHtml(retry)}">Try again</a></p>
<p><a href="/">Go to the start page</a></p>`,
  });
}

/**
 * What is to be seen of the token: never the token itself.
 *
 * @param {Refreshes} refreshes
 */
function tokenSection(refreshes) {
  const times = `${refreshes?.count ?? 0} ${refreshes?.count === 1 ? 'time' : 'times'}`;
  const last = refreshes
    ? `, last at <time datetime="${refreshes.last.toISOString()}">${refreshes.last.toISOString().slice(11, 19)} UTC</time>`
    : '';
  return `<section aria-labelledby="token">
<h2 id="token">Access token</h2>
<p>Refreshed <strong id="refreshes">${times}</strong> since you logged in${last}.</p>
<form method="post" action="/expire"><button class="secondary">Expire the token</button></form>
</section>`;
}

/** @param {{ title: string, content: string, user?: User | undefined }} data */
function page({ title, content, user }) {
  const navigation = user
    ? `<nav aria-label="Main"><a href="/">Home</a><a href="/accounts">Accounts</a></nav>
<form method="post" action="/auth/salesforce/logout"><button class="secondary">Log out</button></form>`
    : '';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Salesforce example</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<header><a class="brand" href="/">Salesforce example</a>${navigation}</header>
<main>
<h1>${escapeHtml(title)}</h1>
${content}
</main>
</body>
</html>`;
}

/** @param {string} text */
function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const style = `
:root {
  color-scheme: light dark;
  --page: #f4f6fa; --surface: #fff; --text: #16203a; --quiet: #515c78; --line: #d3d9e6;
  --accent: #0b5cab; --on-accent: #fff; --notice: #e4f0fd; --focus: #c2570c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #10141f; --surface: #1a2030; --text: #e8ecf5; --quiet: #a7b1c9; --line: #343d54;
    --accent: #7db8ff; --on-accent: #0b1526; --notice: #17304f; --focus: #ffb27a;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word }
header, main { max-width: 46rem; margin: 0 auto; padding: 0 1rem }
header { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1.25rem; padding-block: 1rem }
nav { display: flex; gap: 1.25rem; margin-inline-end: auto }
a { color: var(--accent); text-underline-offset: .2em }
.brand { color: inherit; font-weight: 700; text-decoration: none }
nav a { padding-block: .4rem }
h1 { margin: 1.5rem 0 1rem; font-size: clamp(1.5rem, 5vw, 2rem); line-height: 1.2 }
h2 { margin: 0; font-size: 1.1rem }
.lead, .quiet { color: var(--quiet) }
.card { margin: 0 0 1.25rem; padding: .75rem 1.25rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--surface) }
.notice { padding: .75rem 1.25rem; border-left: 4px solid var(--accent); border-radius: .25rem; background: var(--notice) }
dl.card { display: grid; grid-template-columns: minmax(6rem, auto) 1fr; gap: .4rem 1.25rem }
dt { color: var(--quiet) }
dd { margin: 0; min-width: 0; overflow-wrap: anywhere }
ul.card { padding-block: .25rem; list-style: none }
li { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1.25rem; padding: .55rem 0 }
li + li { border-top: 1px solid var(--line) }
section { margin-top: 2rem; padding-top: 1.25rem; border-top: 1px solid var(--line) }
.button, button {
  display: inline-block; padding: .6rem 1.1rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer;
}
.secondary { background: transparent; color: var(--accent) }
header .secondary { padding: .3rem .8rem }
@media (max-width: 30rem) { .brand, li > * { flex-basis: 100% } }
.button:hover, button:hover { filter: brightness(1.1) }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px }
`;
