import { SalesforceAuthError } from '../../lib';
import { askedForSeconds, dispositionOf } from '../../lib/coordinator/disposition';
import {
  closed,
  grantIdOfError,
  loginRequired,
  noteGrant,
  refreshDelayed,
  refreshHeld,
  refreshPending,
} from '../../lib/coordinator/failures';
import type { Flight } from '../../lib/coordinator/flight';
import { oauthError, TokenRequestError } from '../../lib/token/token-error';

const cause = new SalesforceAuthError('ERR_SALESFORCE_UPSTREAM', 'Salesforce is down.', { status: 502 });

describe('errors of the coordinator', () => {
  it.each([
    [loginRequired('It is over.'), 401, undefined, 'It is over. Log in with Salesforce again.'],
    [refreshDelayed(1_001, undefined), 503, 2, 'The access token could not be refreshed for now. '],
    [refreshDelayed(0, 'ERR_SALESFORCE_UPSTREAM'), 503, 1, 'for now (ERR_SALESFORCE_UPSTREAM). '],
    [refreshHeld(5_000), 503, 5, 'was lost'],
    [refreshPending(10_000), 503, 1, '10000 ms (option waitMs)'],
    [closed(), 503, 1, 'shutting down'],
  ])('say what to do, and when: %s', (error, status, retryAfterSeconds, text) => {
    expect(error).toMatchObject({ status, retryAfterSeconds });
    expect(error.message).toContain(text);
    expect('cause' in error).toBe(false);
  });

  it('keep what caused them', () => {
    for (const error of [
      loginRequired('It is over.', cause),
      refreshDelayed(1, undefined, cause),
      refreshHeld(1, cause),
    ]) {
      expect(error.cause).toBe(cause);
    }
  });

  it('can be asked whose grant they are about', () => {
    const error = closed();
    expect(grantIdOfError(error)).toBeUndefined();
    noteGrant(error, 'grant');
    expect(grantIdOfError(error)).toBe('grant');
    expect(grantIdOfError(closed())).toBeUndefined();
    expect(JSON.stringify(error)).not.toContain('grant');
  });
});

describe('what a failed refresh means for its grant', () => {
  const flight = (clientSecret: string | undefined) => ({ configuration: { clientSecret } }) as Flight;
  const confidential = flight('__fake_secret__');
  const reply = { status: 400, retryAfterSeconds: undefined };

  it.each([
    ['transient', new SalesforceAuthError('ERR_SALESFORCE_UNREACHABLE', 'No connection.', { status: 502 })],
    ['ambiguous', new SalesforceAuthError('ERR_SALESFORCE_CONNECTION_LOST', 'It broke.', { status: 502 })],
    ['ambiguous', Object.assign(new Error('Not ours.'), { code: 'ERR_SALESFORCE_UNREACHABLE' })],
    ['ambiguous', 'no error at all'],
    [
      'dead',
      oauthError('refresh_token', {
        ...reply,
        error: 'invalid_grant',
        errorDescription: 'expired access/refresh token',
      }),
    ],
    ['refused', oauthError('refresh_token', { ...reply, error: 'invalid_client_id', errorDescription: undefined })],
  ])('is %s', (disposition, error) => {
    expect(dispositionOf(error, confidential)).toBe(disposition);
  });

  it('depends, where somebody else is presenting the token, on whether one can ask what becomes of it', () => {
    const busy = new TokenRequestError('busy', 'ERR_SALESFORCE_UPSTREAM', 'It is being processed.', { status: 503 });

    expect(dispositionOf(busy, confidential)).toBe('ambiguous');
    expect(dispositionOf(busy, flight(undefined))).toBe('transient');
  });
});

describe('the pause Salesforce asked for', () => {
  const asked = (upstreamStatus: number | undefined, retryAfterSeconds: number | undefined) =>
    askedForSeconds(
      new SalesforceAuthError('ERR_SALESFORCE_UPSTREAM', 'Later.', { status: 503, upstreamStatus, retryAfterSeconds }),
    );

  it('is that of a 429 or a 503, and of nothing else', () => {
    expect([asked(429, 7), asked(503, 8), asked(503, undefined)]).toEqual([7, 8, undefined]);
    expect([asked(500, 7), asked(undefined, 7)]).toEqual([undefined, undefined]);
    expect(askedForSeconds(Object.assign(new Error('Not ours.'), { upstreamStatus: 429, retryAfterSeconds: 7 }))).toBe(
      undefined,
    );
  });
});
