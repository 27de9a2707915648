import type { Request, RequestHandler, Response } from 'express';
import { SalesforceOptionError } from '../errors';
import type { Configuration } from '../options/configuration';
import type { AuthCore } from './core';
import { mountPathOf } from './mount-path';
import { chosenBaseUrl, textOf } from './organization-choice';
import { escapeHtml, pageHeaders, pageHtml } from './page-html';
import { safeReturnTo } from './return-to';

/**
 * A page on which the user chooses where to log in: production (or what `baseUrl` names), one of the `organizations`, or a My
 * Domain to type in, which is checked before the browser is sent on.
 */
export function chooser(core: AuthCore): RequestHandler {
  return (req, res, next) => {
    show(core, req, res).catch(next);
  };
}

async function show(core: AuthCore, req: Request, res: Response): Promise<void> {
  const configuration = await core.options.source.resolve({ req });
  const loginPath = mountPathOf(req.baseUrl) + String(core.options.routes.login);
  let wrong: string | undefined;
  try {
    if (chosenBaseUrl(req, configuration) !== undefined) {
      res.set('Cache-Control', 'no-store').redirect(linkTo(loginPath, req, textOf(req.query['org'])));
      return;
    }
  } catch (error) {
    if (!(error instanceof SalesforceOptionError) || error.option !== 'org') throw error;
    wrong = textOf(req.query['org']);
    res.status(error.status);
  }
  res
    .set(pageHeaders)
    .type('html')
    .send(chooserHtml(configuration, loginPath, req, wrong));
}

/** A link to the login that keeps what this page was asked with. */
function linkTo(loginPath: string, req: Request, org?: string): string {
  const query = new URLSearchParams(kept(req));
  if (org !== undefined) query.set('org', org.trim());
  const text = query.toString();
  return text === '' ? loginPath : `${loginPath}?${text}`;
}

function kept(req: Request): [string, string][] {
  const returnTo = safeReturnTo(req.query['returnTo']);
  return [
    ...(returnTo === undefined ? [] : [['returnTo', returnTo] as [string, string]]),
    ...(req.query['add'] === 'true' ? [['add', 'true'] as [string, string]] : []),
  ];
}

function chooserHtml(configuration: Configuration, loginPath: string, req: Request, wrong: string | undefined): string {
  const { baseUrl, organizations } = configuration;
  const links = [
    { label: nameOf(baseUrl), href: linkTo(loginPath, req) },
    ...Object.entries(organizations)
      .filter(([, url]) => url !== baseUrl)
      .map(([name]) => ({ label: name.charAt(0).toUpperCase() + name.slice(1), href: linkTo(loginPath, req, name) })),
  ].map(({ label, href }) => `<a href="${escapeHtml(href)}">${escapeHtml(label)}</a>`);
  const hidden = kept(req).map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const problem =
    wrong === undefined
      ? ''
      : `<p class="wrong" role="alert" id="problem">“${escapeHtml(wrong)}” is not an address of Salesforce. A My Domain looks like this: example.my.salesforce.com</p>`;
  return pageHtml(
    'Where do you log in?',
    `${problem}<nav aria-label="Organizations">${links.join('\n')}</nav>
<form>${hidden.join('')}
<label>Your organization's My Domain
<input name="org" inputmode="url" autocapitalize="none" autocomplete="url" spellcheck="false" required placeholder="example.my.salesforce.com" value="${escapeHtml(wrong ?? '')}"${wrong === undefined ? '' : ' aria-invalid="true" aria-describedby="problem"'}></label>
<button>Log in there</button>
</form>`,
  );
}

/** Salesforce's login hosts by what people call them, and others by their host. */
function nameOf(baseUrl: string): string {
  const { host } = new URL(baseUrl);
  return { 'login.salesforce.com': 'Production', 'test.salesforce.com': 'Sandbox' }[host] ?? host;
}
