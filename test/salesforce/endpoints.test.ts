import { endpointsOf } from '../../lib/salesforce/endpoints';

describe('endpointsOf()', () => {
  it('keeps the path of a site first', () => {
    const base = 'https://acme.my.site.com/portal';

    expect(endpointsOf(base)).toEqual({
      issuer: base,
      authorization_endpoint: `${base}/services/oauth2/authorize`,
      token_endpoint: `${base}/services/oauth2/token`,
      revocation_endpoint: `${base}/services/oauth2/revoke`,
      introspection_endpoint: `${base}/services/oauth2/introspect`,
      userinfo_endpoint: `${base}/services/oauth2/userinfo`,
      jwks_uri: `${base}/id/keys`,
    });
  });
});
