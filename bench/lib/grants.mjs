/**
 * Makes grants without a login. Their tokens have the size of Salesforce's, and their payload has the size of a sealed
 * payload.
 */
import { randomBytes } from 'node:crypto';

export const generation = 'g'.repeat(16);

/** The payload of grant number `index`. It is not encrypted; a store does not notice that. */
export function payloadOf(index, changes = {}) {
  const digits = String(index).padStart(12, '0');
  return JSON.stringify({
    accessToken: `00D000000000001!AQ.${digits}${randomBytes(60).toString('base64url')}`,
    refreshToken: `5Aep861${digits}${randomBytes(50).toString('base64url')}`,
    scope: ['openid', 'id', 'api', 'refresh_token'],
    instanceUrl: 'http://localhost:1',
    organizationId: '00D000000000001EAA',
    userId: `005${digits}AAA`,
    baseUrl: 'http://localhost:1',
    clientID: 'bench',
    ...changes,
  });
}

/** An id of the length of a grant's. */
export const grantIdOf = (index) => `${'i'.repeat(31)}${String(index).padStart(12, '0')}`;

/** The arguments of `put` at a login. */
export function writeOf(index, { payload = payloadOf(index), softMs = 3_600_000, hardMs = 7_200_000 } = {}) {
  return {
    expected: null,
    generation,
    // Random, so that each write is a new one.
    writer: randomBytes(12).toString('base64url'),
    payload,
    labels: {
      organizationId: '00D000000000001EAA',
      userId: `005${String(index).padStart(12, '0')}AAA`,
      clientID: 'bench',
    },
    softMs,
    hardMs,
    holder: 'r'.repeat(16),
    holderMs: 86_400_000,
  };
}
