import type { Exchange } from '../http/exchange';
import { jsonReply, type Reply } from '../http/reply';
import { jsonWebKeySet } from '../keys';
import type { Provider } from '../provider';

const scopes =
  'cdp_ingest_api custom_permissions cdp_segment_api content cdp_api chatbot_api cdp_identityresolution_api interaction_api wave_api web cdp_calculated_insight_api einstein_gpt_api offline_access id api data_cloud_user_claims eclair_api email pardot_api lightning visualforce cdp_query_api sfap_api address openid profile scrt_api cdp_profile_api refresh_token phone user_registration_api pwdless_login_api chatter_api mcp_api full forgot_password';
const claims =
  'active address email email_verified family_name given_name is_app_installed language locale name nickname organization_id phone_number phone_number_verified photos picture preferred_username profile sub updated_at urls user_id user_type zoneinfo';

const crossOrigin = { 'access-control-allow-origin': '*', 'access-control-allow-credentials': 'false' };

/**
 * The discovery document. A My Domain adds the logout endpoint to the document of the login host. A site also adds DPoP, PKCE
 * and grant types. The issuer is the host of the request, with the path of the site.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid_discovery_endpoint.htm
 */
export function openidConfiguration(provider: Provider, { origin, site }: Exchange): Reply {
  const issuer = origin + site;
  const isSite = site !== '';
  const isMyDomain = isSite || origin !== provider.hosts.login;
  const oauth = `${issuer}/services/oauth2`;
  const document = {
    ...(isMyDomain
      ? {
          end_session_endpoint: `${issuer}/services/auth/idp/oidc/logout`,
          frontchannel_logout_supported: true,
          frontchannel_logout_session_supported: false,
        }
      : {}),
    issuer,
    authorization_endpoint: `${oauth}/authorize`,
    token_endpoint: `${oauth}/token`,
    revocation_endpoint: `${oauth}/revoke`,
    userinfo_endpoint: `${oauth}/userinfo`,
    jwks_uri: `${issuer}/id/keys`,
    registration_endpoint: `${oauth}/register`,
    introspection_endpoint: `${oauth}/introspect`,
    scopes_supported: scopes.split(' '),
    response_types_supported: ['code', 'token', 'token id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    display_values_supported: ['page', 'popup', 'touch'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic', 'private_key_jwt'],
    claims_supported: claims.split(' '),
    ...(isSite
      ? {
          dpop_signing_alg_values_supported: ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'],
          code_challenge_methods_supported: ['S256'],
          grant_types_supported: ['authorization_code', 'refresh_token'],
        }
      : {}),
  };
  return jsonReply(document, 200, crossOrigin);
}

/** `/id/keys`. */
export async function keys(): Promise<Reply> {
  return jsonReply(await jsonWebKeySet(), 200, crossOrigin);
}

/** `/.well-known/auth-configuration`, for mobile apps. It is not part of OpenID Connect. */
export function authConfiguration(provider: Provider, { origin, site }: Exchange): Reply {
  const document = {
    OrgId: provider.organizations[0]?.organizationId.slice(0, 15),
    Url: origin + site,
    MobileSDK: { UseAndroidNativeBrowserForAuthentication: false, UseiOSNativeBrowserForAuthentication: false },
    LoginPage: null,
    SamlProviders: [],
    AuthProviders: [],
    CertificateLogin: null,
    LoginPageType: 'standard',
    LoginPageTypeConfigs: {},
  };
  return jsonReply(document, 200, crossOrigin);
}
