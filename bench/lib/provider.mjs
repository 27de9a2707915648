/** A token endpoint that can be down, for measurements with more grants than the emulator has users. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';

export const secret = 'bench-only';

/** A reply to a refresh, signed as Salesforce signs it. */
export function refreshReply(tokens, count, issuedAt) {
  const id = `${tokens.baseUrl}/id/${tokens.organizationId}/${tokens.userId}`;
  return {
    access_token: `00D000000000001!AQ.${String(count).padStart(93, '0')}`,
    refresh_token: `${tokens.refreshToken.split('.')[0]}.${count}`,
    instance_url: tokens.baseUrl,
    id,
    issued_at: String(issuedAt),
    signature: createHmac('sha256', secret)
      .update(id + String(issuedAt))
      .digest('base64'),
    token_type: 'Bearer',
    ...(tokens.expiresIn === undefined ? {} : { expires_in: tokens.expiresIn }),
  };
}

export async function startProvider(tokensOf) {
  const provider = { isDown: false, tokenRequests: 0, otherRequests: 0 };
  const server = createServer((req, res) => {
    let body = '';
    req.on('data', (chunk) => (body += chunk));
    req.on('end', () => {
      const isToken = req.url.endsWith('/token');
      if (isToken) provider.tokenRequests++;
      else provider.otherRequests++;
      if (provider.isDown) {
        res.writeHead(503).end();
        return;
      }
      if (!isToken) {
        // Introspection says active: an endpoint that is down spends no refresh token.
        res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ active: true }));
        return;
      }
      const refreshToken = new URLSearchParams(body).get('refresh_token');
      const reply = refreshReply({ ...tokensOf(refreshToken), refreshToken }, provider.tokenRequests, Date.now());
      res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.url = `http://localhost:${server.address().port}`;
  provider.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return provider;
}
