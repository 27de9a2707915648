import { isKnown, classify, operatorMessage } from '../salesforce-errors/classify';
import { meanings, type Meaning } from '../salesforce-errors/meanings';
import type { Clock } from '../clock';
import type { Configuration } from '../options/configuration';
import { requestAuthorization, type AuthorizeAnswer } from './authorize-answer';
import { reportText, type Finding } from './findings';

/** An answer with an error of Salesforce. */
type ErrorAnswer = Extract<AuthorizeAnswer, { shape: 'page' | 'callback' }>;

/**
 * Starts a login and does not finish the login. Salesforce refuses an unknown client or callback URL on a page, and reports
 * most other mistakes in the query of a redirect.
 *
 * @throws SalesforceAuthError if Salesforce cannot be asked
 */
export async function checkAuthorize(
  configuration: Configuration,
  baseUrl: string,
  callbackURL: string,
  clock: Clock,
): Promise<Finding[]> {
  const ask = (withPkce: boolean): Promise<AuthorizeAnswer> =>
    requestAuthorization({ baseUrl, callbackURL, withPkce }, configuration, clock);
  const answer = await ask(true);
  const found = findingsOf(answer, callbackURL);
  const isAccepted = found.every(({ check, level }) => !/^(?:client-id|callback-url)$/.test(check) || level === 'ok');
  if (isAccepted) found.push(pkce(await ask(false)));
  return found.map((finding) => ({ ...finding, baseUrl }));
}

function findingsOf(answer: AuthorizeAnswer, callbackURL: string): Finding[] {
  const clientKnown: Finding = { check: 'client-id', level: 'ok', message: 'Salesforce knows the app.' };
  const callbackKnown: Finding = {
    check: 'callback-url',
    level: 'ok',
    message: `${callbackURL} is registered with the app.`,
  };
  const callbackUnseen: Finding = {
    check: 'callback-url',
    level: 'unknown',
    message: `Whether ${callbackURL} is registered with the app could not be seen.`,
    fix: 'Run the doctor again later, or compare with the callback URLs of the app in Salesforce Setup.',
  };
  if (answer.shape === 'login') return [clientKnown, callbackKnown];
  if (answer.shape === 'other') return [clientUnseen(answer.seen), callbackUnseen];
  const problem = problemOf(answer);
  if (problem?.check === 'client-id') return [problem];
  if (problem?.check === 'callback-url') return [clientKnown, problem];
  const more = problem ? [problem] : [];
  // Salesforce redirects only if it knows the app and the callback URL.
  if (answer.shape === 'callback') return [clientKnown, callbackKnown, ...more];
  const atApp = concernsApp(answer) ? clientKnown : clientUnseen('Salesforce answered with an error page');
  return [atApp, callbackUnseen, ...more];
}

function clientUnseen(seen: string): Finding {
  return {
    check: 'client-id',
    level: 'unknown',
    message: `Whether Salesforce knows the app could not be seen: ${seen}.`,
    fix: 'Run the doctor again later, and see https://status.salesforce.com. If the answer stays the same, log in with a browser, and check the proxies between this machine and Salesforce.',
  };
}

/** Whether an error page says something about the app, so that Salesforce knows the app. */
function concernsApp({ shape, upstreamError }: ErrorAnswer): boolean {
  const found = classify(shape, upstreamError);
  if (found === 'ignored' || found === meanings.authorization || found.status === 503) return false;
  return isKnown(shape, upstreamError);
}

const checks: Partial<Record<Meaning['code'], string>> = {
  ERR_SALESFORCE_CLIENT_UNKNOWN: 'client-id',
  ERR_SALESFORCE_REDIRECT_URI_MISMATCH: 'callback-url',
  ERR_SALESFORCE_SCOPE_INVALID: 'scope',
};

function problemOf({ shape, upstreamError }: ErrorAnswer): Finding | undefined {
  const found = classify(shape, upstreamError);
  // The error means that no user is logged in. The doctor never is.
  if (found === 'ignored' || found === meanings.immediate) return undefined;
  return {
    check: checks[found.code] ?? 'app',
    level: found.status === 503 ? 'unknown' : 'error',
    message: operatorMessage(upstreamError, { ...found, advice: '' }).trim(),
    fix: isKnown(shape, upstreamError) ? found.advice : `${found.advice} ${reportText}`,
    code: found.code,
  };
}

function pkce(answer: AuthorizeAnswer): Finding {
  const isError = answer.shape === 'page' || answer.shape === 'callback';
  const found = isError ? classify(answer.shape, answer.upstreamError) : undefined;
  if (found === meanings.pkceRequired) {
    return { check: 'pkce', level: 'ok', message: 'The app requires PKCE. This package sends PKCE with every login.' };
  }
  const unseen = 'Whether the app requires PKCE could not be seen';
  const message = isError
    ? `${unseen}, because Salesforce reported another error.`
    : 'Salesforce did not refuse a request without PKCE. More cannot be seen without a login.';
  return {
    check: 'pkce',
    level: 'unknown',
    message: answer.shape === 'other' ? `${unseen}: ${answer.seen}.` : message,
    fix: 'Tick "Require Proof Key for Code Exchange (PKCE)" in the app. This package sends PKCE in any case.',
  };
}
