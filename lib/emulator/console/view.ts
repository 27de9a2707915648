import type { RecordedRequest } from '../http/exchange';
import { escapeHtml } from '../pages/html';
import type { Provider } from '../provider';
import { describeParameters, mask } from './mask';

/** Number of requests and of violations on the page. */
const shownRequests = 60;
const shownViolations = 20;

/**
 * The part of the page that updates itself. It has no element that can have the focus, because an update replaces the whole
 * part.
 */
export function liveView(provider: Provider): string {
  return `${summary(provider)}
<section aria-labelledby="requests"><h2 id="requests">Requests</h2>${requests(provider)}</section>
<section aria-labelledby="grants"><h2 id="grants">Grants</h2>${grants(provider)}</section>
<section aria-labelledby="presentations"><h2 id="presentations">Refresh tokens presented</h2>${presentations(provider)}</section>`;
}

function summary({ clock, faults, presentations: { violations }, requests: { length } }: Provider): string {
  const active = faults.list.map(
    ({ injection: { on, kind, when }, left }) =>
      `${kind} on ${on}${when === 'after' ? ', after the operation' : ''} (${left === Infinity ? 'until removed' : `${left} left`})`,
  );
  const items = [
    ['Requests', String(length)],
    ['Emulator time', `${new Date(clock.now()).toISOString().slice(0, 19).replace('T', ' ')} UTC`],
    ['Active faults', active.length === 0 ? 'none' : active.join('; ')],
    ['Violations', violations.length === 0 ? 'none' : String(violations.length)],
  ];
  return `<dl class="facts">${items
    .map(([name = '', value = '']) => `<div><dt>${name}</dt><dd>${escapeHtml(value)}</dd></div>`)
    .join('')}</dl>`;
}

function requests({ requests: all, feed }: Provider): string {
  if (all.length === 0) return '<p class="empty">No requests yet. New requests appear here.</p>';
  const rows = all.slice(-shownRequests).reverse();
  const more = all.length > rows.length ? `<p class="hint">The latest ${rows.length} of ${all.length}.</p>` : '';
  return `<ol class="requests">${rows.map((request) => requestItem(request, feed.durationOf(request))).join('')}</ol>${more}`;
}

function requestItem(request: RecordedRequest, duration: number | undefined): string {
  const { method, path, status, at } = request;
  const outcome = status === undefined ? (duration === undefined ? 'open' : 'dropped') : String(status);
  const tone = outcome === 'open' ? 'open' : status !== undefined && status < 400 ? 'good' : 'bad';
  const parameters = describeParameters(request).map(
    ({ name, value }) => `<span><b>${escapeHtml(name)}</b> ${escapeHtml(value)}</span>`,
  );
  return `<li><p><time>${clockTime(at)}</time> <span class="status ${tone}">${outcome}</span>
<code>${escapeHtml(`${method} ${path}`)}</code>${duration === undefined ? '' : ` <span class="hint">${duration.toFixed(0)} ms</span>`}</p>
${parameters.length === 0 ? '' : `<p class="parameters">${parameters.join('')}</p>`}</li>`;
}

function grants({ grants: { list }, clock }: Provider): string {
  if (list.length === 0) return '<p class="empty">No user has logged in yet.</p>';
  return `<ul class="rows">${[...list]
    .reverse()
    .slice(0, 20)
    .map(({ grant, accessTokens }) => {
      const state = grant.revoked
        ? 'revoked'
        : `${accessTokens.length} valid access ${accessTokens.length === 1 ? 'token' : 'tokens'}`;
      const ends = accessTokens.map(({ token, expiresAt }) => {
        const minutes = Math.max(0, Math.round((expiresAt - clock.now()) / 60_000));
        return `<span><b>access token</b> ${escapeHtml(mask(token))}, ${minutes} min left</span>`;
      });
      const refreshToken =
        grant.refreshToken === undefined ? 'none' : grant.revoked ? 'revoked' : mask(grant.refreshToken);
      return `<li><p><strong>${escapeHtml(grant.user.username)}</strong> <span class="status ${grant.revoked ? 'bad' : 'good'}">${state}</span>
<span class="hint">since ${clockTime(grant.createdAt)}</span></p>
<p class="parameters"><span><b>client</b> ${escapeHtml(grant.client.clientID)}</span><span><b>scopes</b> ${escapeHtml(grant.scopes.join(' '))}</span>
<span><b>refresh token</b> ${escapeHtml(refreshToken)}</span>${ends.join('')}</p></li>`;
    })
    .join('')}</ul>`;
}

function presentations({ presentations: { counts, violations } }: Provider): string {
  if (counts.size === 0) return '<p class="empty">No refresh token has been presented yet.</p>';
  const wrong = violations.slice(-shownViolations).map(
    ({ kind, refreshToken, username, presentation, at }) =>
      `<li class="bad">${kind}: <code>${escapeHtml(mask(refreshToken))}</code> of ${escapeHtml(username ?? 'an unknown user')},
presentation ${presentation}, at ${clockTime(at)}</li>`,
  );
  const latest = [...counts].slice(-12).reverse();
  return `${wrong.length === 0 ? '<p>Every token was valid when it was presented, and no token was presented twice at once.</p>' : `<ul role="alert">${wrong.join('')}</ul>`}
<p class="parameters">${latest
    .map(
      ([token, count]) =>
        `<span><code>${escapeHtml(mask(token))}</code> ${count === 1 ? 'once' : `${count} times`}</span>`,
    )
    .join('')}</p>`;
}

function clockTime(at: number): string {
  return new Date(at).toISOString().slice(11, 19);
}
