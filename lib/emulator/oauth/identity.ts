import { runWithFaults } from '../faults/run';
import type { Exchange } from '../http/exchange';
import { jsonReply, plainError, type Reply } from '../http/reply';
import { toId18 } from '../org/ids';
import type { Provider } from '../provider';
import { bearer } from './bearer';
import { identityBody, userinfoBody } from './identity-bodies';
import { opensIdentity, opensUserinfo } from './scopes';
import { identityUrl } from './token-reply';

/** The identity URL, `/id/<organization>/<user>`. Its errors are plain text with status 403. */
export function identity(provider: Provider, exchange: Exchange): Promise<Reply> {
  return runWithFaults(provider.faults, exchange, ['identity'], plainError, () => {
    const access = bearer(provider, exchange, { parameter: true });
    if (access === 'missing') return plainError('Missing_OAuth_Token');
    if (access === 'bad' || !opensIdentity(access.grant.scopes)) return plainError('Bad_OAuth_Token');
    const organizationId = toId18(exchange.params['organization'] ?? '');
    const userId = toId18(exchange.params['user'] ?? '');
    if (organizationId !== access.grant.user.organizationId) return plainError('Wrong_Org');
    const user = provider.users.find(
      (candidate) => candidate.userId === userId && candidate.organizationId === organizationId,
    );
    if (!user) return plainError('Bad_Id', undefined, 404);
    const body = identityBody(provider, user, {
      id: `${exchange.origin}${exchange.site}/id/${organizationId}/${userId}`,
      isAsserted: user === access.grant.user,
      version: exchange.query.get('version'),
    });
    return jsonReply(body);
  });
}

/** OpenID Connect's userinfo (Core, section 5.3), with Salesforce's own errors. */
export function userinfo(provider: Provider, exchange: Exchange): Promise<Reply> {
  return runWithFaults(provider.faults, exchange, ['userinfo'], plainError, () => {
    const access = bearer(provider, exchange, { parameter: true });
    if (access === 'missing') return plainError('Missing_OAuth_Token');
    if (access === 'bad' || !opensUserinfo(access.grant.scopes)) return plainError('Bad_OAuth_Token');
    return jsonReply(userinfoBody(provider, access.grant.user, identityUrl(provider, access.grant)));
  });
}
