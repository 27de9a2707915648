/**
 * oidc-provider as a server at Salesforce's paths: it checks what a client proves itself with by code that nobody of this
 * package wrote. Beside it stand the fields of Salesforce's token replies, and an API that knows the access tokens.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

const [clientID, callbackURL, jwks] = process.argv.slice(2);
const organization = '00D000000000001EAA';
const user = '005000000000001AAA';

const server = createServer();
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://localhost:${server.address().port}`;
const oauth = '/services/oauth2';

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: clientID,
      redirect_uris: [callbackURL],
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: JSON.parse(jwks),
    },
  ],
  routes: {
    authorization: `${oauth}/authorize`,
    token: `${oauth}/token`,
    revocation: `${oauth}/revoke`,
    introspection: `${oauth}/introspect`,
    userinfo: `${oauth}/userinfo`,
    jwks: '/id/keys',
  },
  features: { introspection: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
  claims: { openid: ['sub', 'organization_id', 'user_id', 'preferred_username'] },
  cookies: { keys: ['__fake_cookie_key__'] },
  findAccount: (_ctx, sub) => ({
    accountId: sub,
    claims: () => ({ sub, organization_id: organization, user_id: user, preferred_username: 'ada@acme.example' }),
  }),
});

const seen = [];
const ended = new Set();
const issued = new Set();
provider.use(async (ctx, next) => {
  await next();
  if (ctx.path.startsWith(`${oauth}/`) && ctx.method === 'POST') {
    const names = Object.keys(ctx.oidc?.body ?? {});
    seen.push({ path: ctx.path.slice(oauth.length + 1), status: ctx.status, names, error: ctx.body?.error });
  }
  if (ctx.path === `${oauth}/token` && ctx.status === 200) {
    issued.add(ctx.body.access_token);
    Object.assign(ctx.body, {
      instance_url: issuer,
      id: `${issuer}/id/${organization}/${user}`,
      issued_at: String(Date.now()),
    });
  }
});

const handle = provider.callback();
server.on('request', (req, res) => {
  const json = (status, body) =>
    res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (req.url === '/test/end') {
    for (const token of issued) ended.add(token);
    return json(200, {});
  }
  if (req.url === '/test/seen') return json(200, seen);
  if (!req.url.startsWith('/services/data/')) return handle(req, res);
  const token = req.headers.authorization?.replace(/^Bearer /, '');
  if (issued.has(token) && !ended.has(token)) return json(200, { records: [] });
  return json(401, [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]);
});
console.log(`ready at ${issuer} for ${issuer}/id/${organization}/${user}`);
process.stdin.resume().on('end', () => process.exit());
