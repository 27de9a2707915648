/** A process that adopts the refresh token it is given, and says what came of it. */
import { Redis } from 'ioredis';
import { salesforceAuth } from '../../../dist/index.mjs';
import { RedisTokenStore } from '../../../dist/stores/redis.mjs';

const { REDIS_URL, REFRESH_TOKEN: refreshToken, CLIENT_ID, CLIENT_SECRET, SALESFORCE_URL } = process.env;
const client = new Redis(REDIS_URL);
const salesforce = salesforceAuth({
  ...{ clientID: CLIENT_ID, clientSecret: CLIENT_SECRET, baseUrl: SALESFORCE_URL, scope: 'id api refresh_token' },
  ...{ encryptionKeys: ['__test_encryption_key_of_32_chars__'], allowedOrganizations: 'any' },
  store: new RedisTokenStore({ client }),
});
const say = (message) => console.log(JSON.stringify(message));
salesforce.events.on('claim.delayed', () => say({ says: 'waits' }));
salesforce.events.on('refresh.started', () => say({ says: 'presents' }));
try {
  const { grantId, user } = await salesforce.tokens.adopt({ refreshToken });
  const access = await salesforce.tokens.get(grantId);
  const { status } = await access.fetch('/services/data/v62.0/limits');
  say({ says: 'adopted', grantId, userId: user.userId, status });
} catch (error) {
  say({ says: 'failed', code: error.code });
}
await salesforce.close();
client.disconnect();
