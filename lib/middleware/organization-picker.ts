import type { Request, Response } from 'express';
import { SalesforceOptionError } from '../errors';
import type { AuthContext } from './context';
import { intentParameter, withQuery, type LoginIntent } from './login-intent';
import { baseUrlOf, textOf } from './organization-choice';
import { escapeHtml, pageHeaders, pageHtml } from './page-html';
import { linksHtml, refusePrefetch, sendOn, type PageLink } from './pages';
import { parameterOf } from '../query';
import { safeReturnTo } from './return-to';
import { isFromOwnPage, isPrefetch, mountPathOf } from './visit';

/**
 * A page on which the user chooses where to log in: production (or what `baseUrl` names), one of the `organizations`, or a My
 * Domain to type in, which is checked before the browser is sent on.
 */
export async function showPicker(core: AuthContext, { req, res }: { req: Request; res: Response }): Promise<void> {
  if (isPrefetch(req)) {
    refusePrefetch(res);
    return;
  }
  const { addresses, routes } = core.options;
  const loginPath = addresses.pathOf(req, mountPathOf(req.baseUrl), String(routes.login));
  const intent = await core.intents.read(req);
  const typed = textOf(parameterOf(req, 'org'))?.trim();
  const kept: LoginIntent = {
    returnTo: intent?.returnTo ?? safeReturnTo(parameterOf(req, 'returnTo')),
    // Another site may open this page, and must not make the user add a login.
    add: intent ? intent.add : parameterOf(req, 'add') === 'true' && isFromOwnPage(req, addresses),
  };
  const seal = core.intents.sealer(req, res);
  const linkTo = async (org?: string): Promise<string> =>
    withQuery(loginPath, { [intentParameter]: await seal({ ...kept, org }) });
  let isWrong = false;
  if (typed !== undefined) {
    try {
      await baseUrlOf(core, req, typed);
      // Not by a redirect, which the `form-action` of a Content Security Policy would stop on its way to Salesforce.
      if (intent ?? isFromOwnPage(req, addresses)) {
        sendOn(res, await linkTo(typed));
        return;
      }
    } catch (error) {
      if (!(error instanceof SalesforceOptionError) || error.option !== 'org') throw error;
      isWrong = true;
      res.status(error.status);
    }
  }
  res.set(pageHeaders()).type('html');
  res.send(pickerHtml(await choices(core, req, linkTo), { intent: await seal(kept), typed, isWrong }));
}

async function choices(
  core: AuthContext,
  req: Request,
  linkTo: (org?: string) => Promise<string>,
): Promise<PageLink[]> {
  const { baseUrl, organizations } = await core.configurationOf(req);
  const others = Object.entries(organizations).filter(([, url]) => url !== baseUrl);
  const links = others.map(async ([name]) => ({
    label: name.charAt(0).toUpperCase() + name.slice(1),
    href: await linkTo(name),
  }));
  return [{ label: nameOf(baseUrl), href: await linkTo() }, ...(await Promise.all(links))];
}

function pickerHtml(
  links: readonly PageLink[],
  { intent, typed = '', isWrong }: { intent: string; typed: string | undefined; isWrong: boolean },
): string {
  const problem = isWrong
    ? `<p class="wrong" role="alert" id="problem">“${escapeHtml(typed)}” is not an address of Salesforce. A My Domain looks like this: example.my.salesforce.com</p>`
    : '';
  return pageHtml(
    'Where do you log in?',
    `${problem}${linksHtml(links)}
<form><input type="hidden" name="${intentParameter}" value="${escapeHtml(intent)}">
<label>Your organization's My Domain
<input name="org" inputmode="url" autocapitalize="none" autocomplete="url" spellcheck="false" required placeholder="example.my.salesforce.com" value="${escapeHtml(typed)}"${isWrong ? ' aria-invalid="true" aria-describedby="problem"' : ''}></label>
<button>Log in there</button>
</form>`,
  );
}

/** Salesforce's login hosts by what people call them, and others by their host. */
function nameOf(baseUrl: string): string {
  const { host } = new URL(baseUrl);
  return { 'login.salesforce.com': 'Production', 'test.salesforce.com': 'Sandbox' }[host] ?? host;
}
