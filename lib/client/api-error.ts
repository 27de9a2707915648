import { safeText } from '../salesforce-errors/safe-text';
import { SalesforceAuthError } from '../errors';
import { loaded } from '../loaded';

/**
 * Turns an answer of Salesforce's API that is no success into a typed error, for handlers that throw.
 *
 * The response stays as it is: its body can still be read, unless it was before.
 *
 * @param response what `req.salesforce.fetch()` resolved to
 * @returns an error whose `error` is Salesforce's errorCode, `errorDescription` its message and `upstreamStatus` its status.
 *   `isTransient` tells an outage or a used-up limit from a mistake in the request, which is `ERR_SALESFORCE_API`
 *
 * @example
 * import express from 'express';
 * import { requireSalesforce, salesforceApiError } from 'express-salesforce-auth';
 *
 * const app = express();
 * app.get('/nothing', requireSalesforce(), async (req, res) => {
 *   const reply = await req.salesforce.fetch('/services/data/v68.0/nothing');
 *   if (!reply.ok) throw await salesforceApiError(reply);
 *   res.json(await reply.json());
 * });
 */
export async function salesforceApiError(response: Response): Promise<SalesforceAuthError> {
  // Loaded at the first error: the table of Salesforce's errors is long.
  const { classify, operatorMessage } = await loaded(() => import('../salesforce-errors/classify'));
  const { meanings } = await loaded(() => import('../salesforce-errors/meanings'));
  const { status } = response;
  const text = response.bodyUsed
    ? ''
    : await response
        .clone()
        .text()
        .catch(() => '');
  const said = { ...parse(text, status), status };
  const found = classify('api', said);
  const meaning = found === 'ignored' ? meanings.api : found;
  const retryAfter = response.headers.get('retry-after') ?? '';
  return new SalesforceAuthError(meaning.code, operatorMessage(said, meaning), {
    status: meaning.status,
    error: said.error,
    errorDescription: said.errorDescription,
    upstreamStatus: status,
    ...(/^\d{1,5}$/.test(retryAfter) ? { retryAfterSeconds: Number(retryAfter) } : {}),
  });
}

/** The first error of a reply: an array of errors at most APIs, one error at some, plain text at the OAuth endpoints. */
function parse(text: string, status: number): { error: string; errorDescription: string | undefined } {
  if (/^\w{3,40}$/.test(text.trim())) return { error: text.trim(), errorDescription: undefined };
  const parsed = parseJSON(text);
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const { errorCode, error, message, error_description: description } = (first ?? {}) as Record<string, unknown>;
  return {
    error: codeOf(errorCode) ?? safeText(error) ?? `status ${status}`,
    errorDescription: safeText(message) ?? safeText(description),
  };
}

/** Long codes would be taken for a secret; none is of capital letters alone. */
function codeOf(errorCode: unknown): string | undefined {
  return typeof errorCode === 'string' && /^[A-Z]+(?:_[A-Z]+)*$/.test(errorCode)
    ? errorCode.slice(0, 80)
    : safeText(errorCode);
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
