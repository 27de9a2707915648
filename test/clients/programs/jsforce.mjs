/** What an application does with jsforce; https://jsforce.github.io/document/ */
import { createInterface } from 'node:readline';
import jsforce from 'jsforce';

const { SALESFORCE_URL, CLIENT_ID, CLIENT_SECRET, CALLBACK_URL } = process.env;
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const oauth2 = new jsforce.OAuth2({
  loginUrl: SALESFORCE_URL,
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  redirectUri: CALLBACK_URL,
  useVerifier: true,
});
console.log(JSON.stringify({ authorizeUrl: oauth2.getAuthorizationUrl({ scope: 'api id refresh_token' }) }));

const { callbackURL } = JSON.parse((await lines.next()).value);
const connection = new jsforce.Connection({ oauth2, version: '68.0' });
let refreshes = 0;
connection.on('refresh', () => (refreshes += 1));
await connection.authorize(new URL(callbackURL).searchParams.get('code'));
const { username } = await connection.identity();

const found = await connection
  .sobject('Contact')
  .find(
    {
      $or: [{ 'Account.Industry': 'Electronics' }, { LastName: { $like: 'F%' } }],
      $not: { Email: 'nobody@customer.example' },
      FirstName: { $nin: ['Nobody'] },
      AccountId: { $exists: true },
    },
    'Id, LastName, Account.Name',
  )
  .sort({ LastName: 1 })
  .limit(10);
const count = await connection.sobject('Account').count({ Name: { $like: 'G%' } });

const created = await connection.sobject('Account').create([{ Name: 'One' }, { Name: 'Two' }]);
const ids = created.map(({ id }) => id);
const updated = await connection.sobject('Account').update(ids.map((Id) => ({ Id, Industry: 'Energy' })));
const retrieved = await connection.sobject('Account').retrieve(ids);
const upserted = [];
for (const Name of ['Three', 'Drei']) {
  upserted.push(await connection.sobject('Account').upsert({ ExternalId__c: 'A-3', Name }, 'ExternalId__c'));
}
const many = await connection.sobject('Account').upsert([{ ExternalId__c: 'A-3', Name: 'Tres' }], 'ExternalId__c');
const deleted = await connection.sobject('Account').destroy([...ids, upserted[0].id]);

console.log(JSON.stringify({ expire: true }));
await lines.next();
const limits = await connection.limits();
await connection.logout(true);
console.log(
  JSON.stringify({
    username,
    found: found.map(({ LastName, Account }) => [LastName, Account.Name]),
    count,
    succeeded: [created, updated, many, deleted].flat().every(({ success }) => success),
    industries: retrieved.map(({ Industry }) => Industry),
    created: upserted.map((result) => result.created),
    requests: limits.DailyApiRequests.Max,
    refreshes,
  }),
);
