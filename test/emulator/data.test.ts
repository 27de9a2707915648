import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { get, logIn, type Json } from './support';

const root = '/services/data/v64.0';
let emulator: Emulator;
let accessToken: string;
beforeEach(async () => {
  emulator = await startTestEmulator({ queryBatchSize: 4 });
  accessToken = (await logIn(emulator)).access_token;
});

const soql = (query: string, token = accessToken): ReturnType<typeof get> =>
  get(`${emulator.url}${root}/query?q=${encodeURIComponent(query)}`, token);
const send = (method: string, path: string, body: unknown): ReturnType<typeof get> =>
  get(`${emulator.url}${root}${path}`, accessToken, {
    method,
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

describe('sessions', () => {
  it('answer 401 with an array once they have ended', async () => {
    emulator.expireAccessTokens();

    expect(await soql('SELECT Id FROM Account')).toMatchObject({
      status: 401,
      json: [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }],
    });
  });

  it('slide with each use and end when they are idle', async () => {
    emulator.clock.advanceSeconds(7000);
    expect((await soql('SELECT Id FROM Account')).status).toBe(200);
    emulator.clock.advanceSeconds(7000);
    expect((await soql('SELECT Id FROM Account')).status).toBe(200);
    emulator.clock.advanceSeconds(7200);
    expect((await soql('SELECT Id FROM Account')).status).toBe(401);
  });

  it('last as long as the app’s own policy says', async () => {
    emulator.setPolicy(emulator.clients[0]!.clientID, { sessionTimeoutSeconds: 900 });
    const { access_token } = await logIn(emulator);
    emulator.clock.advanceSeconds(900);

    expect((await soql('SELECT Id FROM Account', access_token)).status).toBe(401);
    expect((await soql('SELECT Id FROM Account')).status).toBe(200);
  });

  it('end with the user and for one user at a time', async () => {
    const other = await logIn(emulator, { user: emulator.users[1]! });
    emulator.expireAccessTokens({ username: emulator.users[1]!.username });

    expect((await soql('SELECT Id FROM Account')).status).toBe(200);
    expect((await soql('SELECT Id FROM Account', other.access_token)).status).toBe(401);
    emulator.users[0]!.active = false;
    expect((await soql('SELECT Id FROM Account')).status).toBe(401);
  });

  it('need the api scope', async () => {
    const { access_token } = await logIn(emulator, { params: { scope: 'openid' } });

    expect(await soql('SELECT Id FROM Account', access_token)).toMatchObject({
      status: 401,
      json: [{ message: 'This session is not valid for use with the REST API' }],
    });
  });
});

describe('query', () => {
  it.each([
    ["SELECT Id FROM Account WHERE Name = 'genepoint'", 1],
    ["SELECT Id FROM Account WHERE Name LIKE 'G%'", 2],
    ["SELECT Id FROM Account WHERE Industry IN ('Energy', 'Apparel') AND AnnualRevenue > 400000000", 1],
    ["SELECT Id FROM Account WHERE Industry != 'Energy'", 9],
    ["SELECT Id FROM Contact WHERE LastName = 'O\\'Hara'", 1],
    ['SELECT COUNT() FROM Account', 10],
    ['SELECT Id FROM Account LIMIT 3', 3],
    ['select id from account order by name desc limit 5 offset 8', 2],
    ['SELECT Username FROM User WHERE IsActive = true', 2],
    ['SELECT Name FROM Organization', 1],
  ])('%s', async (query, totalSize) => {
    expect((await soql(query)).json['totalSize']).toBe(totalSize);
  });

  it('sorts, and returns the fields that were selected', async () => {
    const { json } = await soql('SELECT Name FROM Account ORDER BY AnnualRevenue DESC, Name LIMIT 2');

    expect(json.records.map(({ attributes: _, ...fields }: Json) => fields)).toEqual([
      { Name: 'United Oil & Gas' },
      { Name: 'Express Logistics' },
    ]);
    expect(json.records[0]!.attributes.url).toMatch(/^\/services\/data\/v64.0\/sobjects\/Account\/001/);
  });

  it('hands out batches with the URL of the next', async () => {
    let page = (await soql('SELECT Id FROM Account')).json;
    const sizes = [page.records.length];
    while (!page['done']) {
      page = (await get(emulator.url + page.nextRecordsUrl, accessToken)).json;
      sizes.push(page.records.length);
    }

    expect(sizes).toEqual([4, 4, 2]);
  });

  it.each([
    ['SELECT Id FROM Nope', 'INVALID_TYPE', "sObject type 'Nope' is not supported."],
    [
      'SELECT Nope FROM Account',
      'INVALID_FIELD',
      "ERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'.",
    ],
    ["SELECT Id FROM Account WHERE Nope = 'x'", 'INVALID_FIELD', "No such column 'Nope'"],
    ['SELECT Account.Name FROM Contact', 'INVALID_FIELD', "Didn't understand relationship 'Account' in field path."],
    ['SELECT Id FROM Account WHERE', 'MALFORMED_QUERY', 'unexpected token: <EOF>'],
    ["SELECT Id FROM Account WHERE Name = 'a' OR Name = 'b'", 'MALFORMED_QUERY', "unexpected token: 'OR'"],
    ['SELECT Id FROM Account GROUP BY Name', 'MALFORMED_QUERY', "unexpected token: 'GROUP'"],
    ['DELETE FROM Account', 'MALFORMED_QUERY', "unexpected token: 'DELETE'"],
  ])('explains %s', async (query, errorCode, message) => {
    expect(await soql(query)).toMatchObject({
      status: 400,
      json: [{ errorCode, message: expect.stringContaining(message) }],
    });
  });
});

describe('sobjects', () => {
  it('creates, reads, updates and deletes', async () => {
    const created = await send('POST', '/sobjects/Contact', { FirstName: 'New', LastName: 'Fake' });
    const path = `/sobjects/Contact/${created.json.id}`;
    const updated = await send('PATCH', path, { Title: 'CEO' });
    const read = await get(`${emulator.url}${root}${path}?fields=Name,Title`, accessToken);
    const deleted = await get(`${emulator.url}${root}${path}`, accessToken, { method: 'DELETE' });

    expect(created).toMatchObject({ status: 201, json: { success: true, errors: [] } });
    expect([updated.status, deleted.status]).toEqual([204, 204]);
    expect(read.json).toMatchObject({ Name: 'New Fake', Title: 'CEO', attributes: { type: 'Contact' } });
    expect((await get(`${emulator.url}${root}${path}`, accessToken)).json).toMatchObject([{ errorCode: 'NOT_FOUND' }]);
    expect((await send('PATCH', path, {})).json).toMatchObject([{ errorCode: 'ENTITY_IS_DELETED' }]);
  });

  it.each([
    ['a missing field', 'POST', '/sobjects/Account', {}, 400, 'REQUIRED_FIELD_MISSING'],
    ['an unknown field', 'POST', '/sobjects/Account', { Name: 'x', Nope: 1 }, 400, 'INVALID_FIELD'],
    ['a read-only field', 'POST', '/sobjects/Account', { Name: 'x', Id: 'y' }, 400, 'INVALID_FIELD_FOR_INSERT_UPDATE'],
    ['a value of the wrong type', 'POST', '/sobjects/Account', { Name: 5 }, 400, 'JSON_PARSER_ERROR'],
    [
      'a dangling reference',
      'POST',
      '/sobjects/Contact',
      { LastName: 'x', AccountId: '001' },
      400,
      'INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY',
    ],
    ['an unknown object', 'POST', '/sobjects/Nope', {}, 404, 'NOT_FOUND'],
    ['another method', 'PUT', '/sobjects/Account', {}, 405, 'METHOD_NOT_ALLOWED'],
  ])('refuses %s', async (_, method, path, body, status, errorCode) => {
    expect(await send(method, path, body)).toMatchObject({ status, json: [{ errorCode }] });
  });

  it('keeps organizations apart', async () => {
    const other = (await logIn(emulator, { user: emulator.users[2]! })).access_token;
    const mine = (await soql('SELECT Id FROM Account LIMIT 1')).json.records[0]!.Id;

    expect((await get(`${emulator.url}${root}/sobjects/Account/${mine}`, other)).status).toBe(404);
    expect((await soql(`SELECT Id FROM Account WHERE Id = '${mine}'`, other)).json['totalSize']).toBe(0);
    expect((await soql('SELECT Username FROM User', other)).json['totalSize']).toBe(1);
  });
});

describe('the rest of /services/data', () => {
  it('lists versions to everybody and the rest to sessions', async () => {
    expect((await get(`${emulator.url}/services/data`)).json['length']).toBeGreaterThan(10);
    expect((await get(`${emulator.url}${root}`)).status).toBe(401);
    expect((await get(`${emulator.url}${root}`, accessToken)).json['identity']).toContain('/id/00D');
  });

  it('counts requests in a header', async () => {
    expect((await soql('SELECT Id FROM Account')).headers.get('sforce-limit-info')).toMatch(/^api-usage=1\/15000$/);
  });

  it('knows who calls', async () => {
    const { json } = await get(`${emulator.url}${root}/chatter/users/me`, accessToken);

    expect(json['username']).toBe(emulator.users[0]!.username);
  });

  it.each(['/nope', '/sobjects/Account/%E0%A4%A', '/query/01gnope-1', '/sobjects/Account/describe/more'])(
    'refuses %s in the usual envelope',
    async (path) => {
      const reply = await get(`${emulator.url}${root}${path}`, accessToken);

      expect(reply.status).toBeGreaterThanOrEqual(400);
      expect(reply.status).toBeLessThan(500);
      expect(reply.json).toMatchObject([{ errorCode: expect.any(String), message: expect.any(String) }]);
    },
  );
});
