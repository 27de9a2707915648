/**
 * The endpoints of a base URL, named as in RFC 8414, section 2.
 *
 * The package derives the endpoints and reads no discovery document. The paths are the same on every host. The path of a site
 * comes first.
 *
 * @see https://help.salesforce.com/s/articleView?id=xcloud.remoteaccess_using_openid_discovery_endpoint.htm
 */
export type Endpoints = {
  issuer: string;
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
  introspection_endpoint: string;
  userinfo_endpoint: string;
  jwks_uri: string;
};

/** Builds the endpoints of a checked base URL. */
export function endpointsOf(baseUrl: string): Endpoints {
  const oauth = `${baseUrl}/services/oauth2`;
  return {
    issuer: baseUrl,
    authorization_endpoint: `${oauth}/authorize`,
    token_endpoint: `${oauth}/token`,
    revocation_endpoint: `${oauth}/revoke`,
    introspection_endpoint: `${oauth}/introspect`,
    userinfo_endpoint: `${oauth}/userinfo`,
    jwks_uri: `${baseUrl}/id/keys`,
  };
}
