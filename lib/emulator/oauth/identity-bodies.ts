import { newestApiVersion } from '../../salesforce/api-version';
import type { EmulatorUser } from '../org/users';
import type { Provider } from '../provider';

/** The body of the identity URL. `{version}` is replaced only if the request names a version. */
export function identityBody(
  provider: Provider,
  user: EmulatorUser,
  { id, isAsserted, version }: { id: string; isAsserted: boolean; version: string | null },
): Record<string, unknown> {
  const instanceUrl = provider.instanceOf(user.organizationId);
  return {
    id,
    asserted_user: isAsserted,
    user_id: user.userId,
    organization_id: user.organizationId,
    username: user.username,
    nick_name: user.username.split('@')[0],
    display_name: user.displayName,
    email: user.email,
    email_verified: user.emailVerified,
    first_name: user.firstName,
    last_name: user.lastName,
    timezone: user.timezone,
    photos: photos(instanceUrl, user),
    addr_street: null,
    addr_city: null,
    addr_state: null,
    addr_country: 'FR',
    addr_zip: null,
    mobile_phone: null,
    mobile_phone_verified: false,
    is_lightning_login_user: false,
    status: { created_date: null, body: null },
    urls: urls(instanceUrl, user, version === 'latest' ? newestApiVersion : (version ?? '{version}')),
    active: user.active,
    user_type: 'STANDARD',
    language: user.language,
    locale: user.locale,
    utcOffset: 3600000,
    last_modified_date: '2026-01-01T00:00:00Z',
    is_app_installed: true,
  };
}

/** The body of userinfo, which has other names for some fields. */
export function userinfoBody(provider: Provider, user: EmulatorUser, subject: string): Record<string, unknown> {
  const instanceUrl = provider.instanceOf(user.organizationId);
  return {
    sub: subject,
    user_id: user.userId,
    organization_id: user.organizationId,
    preferred_username: user.username,
    nickname: user.username.split('@')[0],
    name: user.displayName,
    email: user.email,
    email_verified: user.emailVerified,
    given_name: user.firstName,
    family_name: user.lastName,
    zoneinfo: user.timezone,
    photos: photos(instanceUrl, user),
    profile: `${instanceUrl}/${user.userId}`,
    picture: photos(instanceUrl, user).picture,
    address: { country: 'FR' },
    is_salesforce_integration_user: false,
    urls: urls(instanceUrl, user, '{version}'),
    active: user.active,
    user_type: 'STANDARD',
    language: user.language,
    locale: user.locale,
    utcOffset: 3600000,
    updated_at: '2026-01-01T00:00:00Z',
    is_app_installed: true,
  };
}

function photos(instanceUrl: string, { userId }: EmulatorUser): { picture: string; thumbnail: string } {
  return {
    picture: `${instanceUrl}/profilephoto/${userId.slice(0, 15)}/F`,
    thumbnail: `${instanceUrl}/profilephoto/${userId.slice(0, 15)}/T`,
  };
}

function urls(instanceUrl: string, user: EmulatorUser, version: string): Record<string, string> {
  const rest = `${instanceUrl}/services/data/v${version}`;
  const soap = (api: string): string =>
    `${instanceUrl}/services/Soap/${api}/${version}/${user.organizationId.slice(0, 15)}`;
  return {
    enterprise: soap('c'),
    metadata: soap('m'),
    partner: soap('u'),
    rest: `${rest}/`,
    sobjects: `${rest}/sobjects/`,
    search: `${rest}/search/`,
    query: `${rest}/query/`,
    recent: `${rest}/recent/`,
    tooling_soap: soap('T'),
    tooling_rest: `${rest}/tooling/`,
    profile: `${instanceUrl}/${user.userId}`,
    feeds: `${rest}/chatter/feeds`,
    groups: `${rest}/chatter/groups`,
    users: `${rest}/chatter/users`,
    feed_items: `${rest}/chatter/feed-items`,
    feed_elements: `${rest}/chatter/feed-elements`,
    custom_domain: instanceUrl,
  };
}
