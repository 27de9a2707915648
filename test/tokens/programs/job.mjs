/**
 * A job without a server, on a store without connections: nothing but the package itself keeps this process alive. The argument
 * says what happens to the job.
 */
import { MemoryTokenStore, salesforceAuth } from '../../../dist/index.mjs';

const { REFRESH_TOKEN: refreshToken, CLIENT_ID, CLIENT_SECRET, SALESFORCE_URL } = process.env;
const store = new MemoryTokenStore();
const salesforce = salesforceAuth({
  ...{ clientID: CLIENT_ID, clientSecret: CLIENT_SECRET, baseUrl: SALESFORCE_URL, scope: 'id api refresh_token' },
  ...{ callbackURL: 'http://localhost:3000/auth/salesforce/callback', allowedOrganizations: 'any', store },
  report: false,
  refresh: { waitMs: 2_000, closeTimeoutMs: 3_000 },
});
const { grantId } = await salesforce.tokens.adopt({ refreshToken });
const client = await salesforce.tokens.get(grantId);
await client.getAccessToken();
const rejected = client.accessToken;

async function claimElsewhere() {
  const { generation, version } = await store.read(grantId);
  const { outcome } = await store.claim(grantId, { generation, version, owner: 'another process', leaseMs: 20_000 });
  if (outcome !== 'claimed') throw new Error(`Not claimed but ${outcome}.`);
}

function failCommits(times) {
  const commit = store.commit.bind(store);
  let calls = 0;
  store.commit = (...given) => (++calls <= times ? Promise.reject(new Error('The disk is full.')) : commit(...given));
}

const jobs = {
  async 'waits for the refresh of another process'() {
    await claimElsewhere();
    await client.getAccessToken({ rejected }).catch(({ code }) => console.log(code));
    console.log((await store.read(grantId)).state);
  },
  async 'has a store that fails once'() {
    failCommits(1);
    await client.getAccessToken({ rejected });
    console.log((await store.read(grantId)).state);
  },
  async 'is over before its tokens are stored'() {
    failCommits(1);
    process.once('exit', () => void store.read(grantId).then(({ state }) => console.log(state)));
    void client.getAccessToken({ rejected });
  },
  async 'has a store that fails for good'() {
    failCommits(Infinity);
    await client.getAccessToken({ rejected }).catch(({ code }) => console.log(code));
  },
  async 'logs out during the refresh of another process'() {
    await claimElsewhere();
    await salesforce.tokens.revoke(grantId);
    console.log((await store.read(grantId)).state);
  },
};
await jobs[process.argv[2]]();
console.log('done');
