import type { RecordedRequest } from '../http/exchange';

/** Parameters that hold no secret. All other parameters are masked, so that a new parameter cannot leak. */
const harmless = new Set(
  (
    'client_id redirect_uri response_type scope prompt display login_hint immediate grant_type code_challenge_method ' +
    'token_type_hint format q username decision error error_description retURL startURL'
  ).split(' '),
);

/** The last four characters of a secret: enough to compare secrets, and not enough to use one. */
export function mask(secret: string): string {
  return secret.length < 16 ? '…' : `…${secret.slice(-4)}`;
}

/**
 * The parameters of a request: query, form fields or the names in a JSON body, and the Authorization header. Secrets are
 * masked.
 */
export function describeParameters({ query, body, headers }: RecordedRequest): { name: string; value: string }[] {
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const parameters = [...Object.entries(query), ...Object.entries(body ?? {}).filter(() => isForm)].map(
    ([name, value]) => ({
      name,
      value: harmless.has(name) ? String(value) : mask(String(value)),
    }),
  );
  const fields = isForm || !body ? [] : [{ name: 'JSON', value: Object.keys(body).join(', ') }];
  const [scheme, credentials] = (headers['authorization'] ?? '').split(' ');
  const authorization = credentials === undefined ? [] : [{ name: scheme ?? '', value: mask(credentials) }];
  return [...authorization, ...parameters, ...fields];
}
