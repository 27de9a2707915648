// @ts-check
import { html } from './html.mjs';
import { layout } from './layout.mjs';

/** @typedef {{ Name: string, Industry: string | null, BillingCity: string | null }} Account */

/**
 * @param {import('./layout.mjs').Frame} frame
 * @param {readonly Account[]} accounts
 */
export function accountsPage(frame, accounts) {
  return layout(frame, {
    title: 'Accounts',
    lead: 'The first 50 accounts that you may see in your organization, read from its REST API.',
    content: html`<section class="card">${accountTable(accounts)}</section>`,
  });
}

/** @param {readonly Account[]} accounts */
export function accountTable(accounts) {
  if (accounts.length === 0) return html`<p class="empty">There are no accounts that you may see.</p>`;
  return html`<table class="stacks" role="table">
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader" scope="col">Name</th>
        <th role="columnheader" scope="col">Industry</th>
        <th role="columnheader" scope="col">City</th>
      </tr>
    </thead>
    <tbody role="rowgroup">
      ${accounts.map(
        ({ Name, Industry, BillingCity }) =>
          html`<tr role="row">
            <th role="rowheader" scope="row">${Name}</th>
            <td role="cell" data-label="Industry">${Industry ?? '–'}</td>
            <td role="cell" data-label="City">${BillingCity ?? '–'}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}
