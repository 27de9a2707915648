import { SalesforceAuthError } from '../../lib';
import { answerOf, askedForSeconds } from '../../lib/coordinator/refresh/answer';
import {
  closed,
  grantIdOfError,
  loginRequired,
  noteGrant,
  refreshDelayed,
  refreshInDoubt,
  refreshPending,
} from '../../lib/coordinator/failures';
import { oauthError, TokenRequestError } from '../../lib/token/token-error';

const cause = new SalesforceAuthError('ERR_SALESFORCE_UPSTREAM', 'Salesforce is down.', { status: 502 });

describe('errors of the coordinator', () => {
  it.each([
    [loginRequired('It is over.'), 401, undefined, 'It is over. Log in with Salesforce again.'],
    [refreshDelayed(1_001), 503, 2, 'The access token could not be refreshed for now. '],
    [refreshDelayed(0, { reason: 'ERR_SALESFORCE_UPSTREAM' }), 503, 1, 'for now (ERR_SALESFORCE_UPSTREAM). '],
    [refreshInDoubt(5_000), 503, 5, 'was lost'],
    [refreshPending(10_000), 503, 1, '10000 ms (option refresh.waitMs)'],
    [closed(), 503, 1, 'shutting down'],
  ])('say what to do, and when: %s', (error, status, retryAfterSeconds, text) => {
    expect(error).toMatchObject({ status, retryAfterSeconds });
    expect(error.message).toContain(text);
    expect('cause' in error).toBe(false);
  });

  it('keep what caused them', () => {
    for (const error of [loginRequired('It is over.', cause), refreshDelayed(1, { cause }), refreshInDoubt(1, cause)]) {
      expect(error.cause).toBe(cause);
    }
  });

  it('tell which grant they are about', () => {
    const error = closed();
    expect(grantIdOfError(error)).toBeUndefined();
    noteGrant(error, 'grant');
    expect(grantIdOfError(error)).toBe('grant');
    expect(grantIdOfError(closed())).toBeUndefined();
    expect(JSON.stringify(error)).not.toContain('grant');
  });
});

describe('what an error of a token request says', () => {
  const reply = { status: 400, askedForSeconds: undefined };
  const refusal = (error: string, errorDescription?: string) =>
    oauthError('refresh_token', { ...reply, error, errorDescription });
  const own = (code: 'UNREACHABLE' | 'CONNECTION_LOST' | 'HOST_GONE', cause?: unknown) =>
    new SalesforceAuthError(`ERR_SALESFORCE_${code}`, 'It failed.', { status: 502, cause });
  const system = (code: string) => Object.assign(new Error('It failed.'), { code });

  it.each([
    ['not sent', own('UNREACHABLE', system('ECONNREFUSED'))],
    ['not sent', own('UNREACHABLE', system('EAI_AGAIN'))],
    ['host gone', own('UNREACHABLE', system('ENOTFOUND'))],
    ['host gone', own('HOST_GONE')],
    ['lost', own('CONNECTION_LOST')],
    ['lost', Object.assign(new Error('Not ours.'), { code: 'ERR_SALESFORCE_UNREACHABLE' })],
    ['lost', 'no error at all'],
    ['known refusal', refusal('invalid_grant', 'expired access/refresh token')],
    ['known refusal', refusal('inactive_user')],
    ['unknown refusal', refusal('invalid_grant', 'a text that no catalogue has')],
    ['client refused', refusal('invalid_grant', 'ip address not in the allowlist')],
    ['unknown refusal', refusal('invalid_grant')],
    ['client refused', refusal('invalid_grant', 'ip restricted')],
    ['client refused', refusal('invalid_client_id')],
    ['in use', refusal('invalid_grant', 'token request is already being processed')],
  ])('is %s', (answer, error) => {
    expect(answerOf(error)).toBe(answer);
  });
});

describe('the pause Salesforce asked for', () => {
  const asked = (upstreamStatus: number | undefined, retryAfterSeconds: number | undefined) =>
    askedForSeconds(
      new TokenRequestError('transient', 'ERR_SALESFORCE_UPSTREAM', 'Later.', {
        ...{ status: 503, upstreamStatus, askedForSeconds: retryAfterSeconds },
      }),
    );

  it('is read from a 429 or a 503 only', () => {
    expect([asked(429, 7), asked(503, 8), asked(503, undefined)]).toEqual([7, 8, undefined]);
    expect([asked(500, 7), asked(undefined, 7)]).toEqual([undefined, undefined]);
    expect(askedForSeconds(Object.assign(new Error('Not ours.'), { upstreamStatus: 429, retryAfterSeconds: 7 }))).toBe(
      undefined,
    );
  });
});
