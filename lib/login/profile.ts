import type { Clock } from '../clock';
import { classify, operatorMessage } from '../salesforce-errors/classify';
import { meanings } from '../salesforce-errors/meanings';
import { SalesforceAuthError } from '../errors';
import type { Configuration } from '../options/configuration';
import { toId18 } from '../salesforce/ids';
import { exchange, type HttpReply } from '../token/http';
import type { TokenSet } from '../token/types';
import type { ProvenReply } from './prove';

/** A Salesforce user in the shape of a Passport profile. */
export interface SalesforceProfile {
  provider: 'salesforce';
  /** `<organization id>/<user id>`: stable, unlike username and email. */
  id: string;
  /** Organization id, 18 characters. */
  organizationId: string;
  /** User id, 18 characters. */
  userId: string;
  username?: string;
  displayName?: string;
  name?: { familyName?: string; givenName?: string };
  emails?: { value: string; verified: boolean }[];
  /** Reading a photo needs an access token. */
  photos?: { value: string }[];
  /** For instance `STANDARD` or `CSP_LITE_PORTAL`. */
  userType?: string;
  language?: string;
  locale?: string;
  timezone?: string;
  /** The reply as text; only if Salesforce was asked for the profile. */
  _raw?: string;
  /** The reply, or the claims of the ID token; absent if the profile comes from the `id` URL alone. */
  _json?: Record<string, unknown>;
}

/**
 * Loads the profile from the source that the configuration names. The settings of the app in Salesforce decide whether an ID
 * token names the user. If it does not, Salesforce is asked.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_PROFILE`, or a transport error
 */
export async function loadProfile(
  { tokens, claims }: ProvenReply,
  configuration: Configuration,
  clock: Clock,
): Promise<SalesforceProfile> {
  const { organizationId, userId } = tokens;
  const bare: SalesforceProfile = { provider: 'salesforce', id: `${organizationId}/${userId}`, organizationId, userId };
  const source = configuration.profileSource;
  if (source === 'id') return bare;
  if (source === 'id_token' && typeof claims?.['preferred_username'] === 'string') {
    const json = parseObject(JSON.stringify(claims));
    return { ...bare, ...normalise(claims), ...(json ? { _json: json } : {}) };
  }
  // On the instance itself: login hosts redirect there, and a token does not follow redirects.
  const isUserinfo = source === 'userinfo' || (source === 'id_token' && configuration.clientSecret === undefined);
  const path = isUserinfo ? '/services/oauth2/userinfo' : `/id/${organizationId}/${userId}`;
  const headers = { authorization: `Bearer ${tokens.accessToken}`, accept: 'application/json' };
  const reply = await exchange(tokens.instanceUrl + path, { method: 'GET', headers }, configuration, clock);
  const json = reply.status === 200 ? parseObject(reply.text) : undefined;
  if (!json) throw profileError(reply);
  if (!isAbout(json, tokens)) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_IDENTITY_CHANGED',
      'The profile is about another user than the token reply. Start the login again.',
      { status: 502 },
    );
  }
  return { ...bare, ...normalise(json), _raw: reply.text, _json: json };
}

/** Plain text such as `Bad_OAuth_Token`, if it is an error of Salesforce and not the page of a proxy. */
function profileError({ status, text }: HttpReply): SalesforceAuthError {
  const said = text.trim();
  const error = status !== 200 && /^\w{3,40}$/.test(said) ? said : `status ${status}`;
  const found = classify('profile', { error, status });
  const meaning = found === 'ignored' ? meanings.profile : found;
  return new SalesforceAuthError(
    meaning.code,
    `The user's profile could not be loaded. ${operatorMessage({ error }, meaning)}`,
    {
      status: meaning.status,
      upstreamStatus: status,
      ...(error === said ? { error } : {}),
    },
  );
}

/** The two sources name the same things differently: `nick_name` and `nickname`, `timezone` and `zoneinfo`. */
function normalise(json: Record<string, unknown>): Partial<SalesforceProfile> {
  const text = (...names: string[]): string | undefined =>
    names.map((name) => json[name]).find((value): value is string => typeof value === 'string' && value !== '');
  const email = text('email');
  const photos = json['photos'];
  const picture =
    typeof photos === 'object' && photos !== null ? (photos as Record<string, unknown>)['picture'] : undefined;
  return withoutAbsent({
    username: text('username', 'preferred_username'),
    displayName: text('display_name', 'name'),
    name: withoutAbsent({ familyName: text('last_name', 'family_name'), givenName: text('first_name', 'given_name') }),
    emails: email === undefined ? undefined : [{ value: email, verified: json['email_verified'] === true }],
    photos: typeof picture === 'string' ? [{ value: picture }] : undefined,
    userType: text('user_type'),
    language: text('language'),
    locale: text('locale'),
    timezone: text('timezone', 'zoneinfo'),
  });
}

/** Keeps what is there: `exactOptionalPropertyTypes` tells absent from undefined, and so does JSON. */
function withoutAbsent<T extends object>(given: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function isAbout(json: Record<string, unknown>, tokens: TokenSet): boolean {
  const { organization_id: organizationId, user_id: userId } = json;
  return (
    typeof organizationId === 'string' &&
    typeof userId === 'string' &&
    toId18(organizationId) === tokens.organizationId &&
    toId18(userId) === tokens.userId
  );
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    // A key `__proto__` would change the prototype of whatever the profile is merged into.
    const value: unknown = JSON.parse(text, (key, member: unknown) => (key === '__proto__' ? undefined : member));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
