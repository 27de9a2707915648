import { readFileSync } from 'node:fs';
import type { Emulator } from '../../lib/emulator';
import { partsNotEmulated } from '../../lib/emulator/data/not-emulated';
import { newestApiVersion } from '../../lib/salesforce/api-version';
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

  it('last as long as the policy of the app says', async () => {
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
    ["SELECT Id FROM Account WHERE Name = 'GenePoint' OR Industry = 'Energy' OR BillingCity = 'nowhere'", 2],
    ["SELECT Id FROM Account WHERE (Industry = 'Energy' OR Industry = 'Apparel') AND AnnualRevenue > 400000000", 1],
    ["SELECT Id FROM Account WHERE ((Name LIKE 'G%'))", 2],
    ["SELECT Id FROM Account WHERE NOT Name LIKE 'G%'", 8],
    ["SELECT Id FROM Account WHERE (NOT Name LIKE 'G%') AND AnnualRevenue = 0", 2],
    ["SELECT Id FROM Account WHERE NOT (Name LIKE 'G%' OR Name LIKE 'E%')", 6],
    ["SELECT Id FROM Contact WHERE Account.Name = 'Edge Communications'", 2],
    ["SELECT Id FROM Contact WHERE account.owner.username = 'ada@acme.example' AND Account.Industry != 'Energy'", 10],
    ["SELECT COUNT() FROM Contact WHERE Account.Industry = 'Electronics' OR LastName = 'Frank'", 3],
    ['SELECT Id FROM Contact WHERE AccountId = null OR Account.Name = null', 0],
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

  it.each(['DESC', 'ASC', '', 'DESC NULLS FIRST'])('sorts nulls first: ORDER BY … %s', async (direction) => {
    await send('POST', '/sobjects/Account', { Name: 'Without' });
    const { json } = await soql(`SELECT Name FROM Account ORDER BY Industry ${direction} LIMIT 1`);

    expect(json.records[0]).toMatchObject({ Name: 'Without' });
  });

  it('nests fields of parents, and sorts by them', async () => {
    const { json: created } = await send('POST', '/sobjects/Contact', { LastName: 'Alone' });
    const { json } = await soql(
      'SELECT LastName, Account.Name, Account.Owner.Username, Account.Industry FROM Contact ORDER BY Account.Name, LastName LIMIT 2',
    );
    const { json: parent } = await soql("SELECT Id FROM Account WHERE Name = 'Burlington Textiles'");

    expect(json.records[0]).toMatchObject({ LastName: 'Alone', Account: null });
    expect(json.records[0]!.attributes.url).toContain(created['id']);
    expect(json.records[1]).toEqual({
      attributes: expect.objectContaining({ type: 'Contact' }),
      LastName: 'Rogers',
      Account: {
        attributes: { type: 'Account', url: `${root}/sobjects/Account/${parent.records[0]!.Id}` },
        Name: 'Burlington Textiles',
        Industry: 'Apparel',
        Owner: { attributes: expect.objectContaining({ type: 'User' }), Username: 'ada@acme.example' },
      },
    });
  });

  it('describes its columns', async () => {
    const columns = (query: string): ReturnType<typeof get> =>
      get(`${emulator.url}${root}/query?columns=true&q=${encodeURIComponent(query)}`, accessToken);

    const { json } = await columns('SELECT id, AnnualRevenue FROM account');
    const joined = await columns('SELECT LastName, Account.Name, Account.Owner.Name FROM Contact');

    expect(json).toMatchObject({ entityName: 'Account', groupBy: false, idSelected: true, keyPrefix: '001' });
    expect(json['columnMetadata']).toMatchObject([
      { aggregate: false, apexType: 'Id', columnName: 'Id', displayName: 'Id', joinColumns: [] },
      { columnName: 'AnnualRevenue', apexType: 'Double', numberType: true },
    ]);
    expect(joined.json).toMatchObject({ idSelected: false, keyPrefix: '003' });
    expect(joined.json['columnMetadata']).toMatchObject([
      { columnName: 'LastName', textType: true },
      {
        columnName: 'Account',
        joinColumns: [{ columnName: 'Name' }, { columnName: 'Owner', joinColumns: [{ columnName: 'Name' }] }],
      },
    ]);
    expect((await columns('SELECT COUNT() FROM Account')).json).toMatchObject({
      columnMetadata: [],
      idSelected: false,
    });
    expect((await columns('SELECT Nope FROM Account')).status).toBe(400);
  });

  it('returns batches, each with the URL of the next', async () => {
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
    ['SELECT Parent.Name FROM Contact', 'INVALID_FIELD', "Didn't understand relationship 'Parent' in field path."],
    ['SELECT Account.Nope FROM Contact', 'INVALID_FIELD', "No such column 'Nope' on entity 'Account'."],
    ["SELECT Id FROM Contact WHERE Nope.Name = 'x'", 'INVALID_FIELD', "Didn't understand relationship 'Nope'"],
    ['SELECT Id FROM Account WHERE', 'MALFORMED_QUERY', 'unexpected token: <EOF>'],
    [
      "SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'",
      'MALFORMED_QUERY',
      "unexpected token: 'OR'",
    ],
    ["SELECT Id FROM Account WHERE (Name = 'a'", 'MALFORMED_QUERY', 'unexpected token: <EOF>'],
    ["SELECT Id FROM Account WHERE Name = 'a')", 'MALFORMED_QUERY', "unexpected token: ')'"],
    ['SELECT Id FROM Account WHERE ()', 'MALFORMED_QUERY', "unexpected token: ')'"],
    ['SELECT Id, (SELECT Id FROM Contacts) FROM Account', 'MALFORMED_QUERY', "unexpected token: '('"],
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

describe('files', () => {
  it('have a record with the address of their content', async () => {
    const { json } = await soql(
      "SELECT Title, ContentSize, VersionData FROM ContentVersion WHERE FileExtension = 'csv'",
    );
    const [file] = json.records;
    const url = emulator.url + String(file!['VersionData']);
    const content = await get(url, accessToken);

    expect(file).toMatchObject({ Title: 'Price list', VersionData: `${file!.attributes.url}/VersionData` });
    expect([content.status, content.headers.get('content-type')]).toEqual([200, 'application/octet-stream']);
    expect(content.text.length).toBe(file!['ContentSize']);
    expect(content.text.startsWith('Article,Name,Price\nA-00001,')).toBe(true);
    expect((await get(url)).status).toBe(401);
    expect((await get(url, accessToken, { method: 'POST' })).status).toBe(405);
  });

  it('belong to one organization', async () => {
    const mine = (await soql('SELECT Id FROM ContentVersion')).json.records[0]!.Id;
    const other = (await logIn(emulator, { user: emulator.users[2]! })).access_token;

    expect((await get(`${emulator.url}${root}/sobjects/ContentVersion/${mine}/VersionData`, other)).status).toBe(404);
  });
});

describe('composite', () => {
  const composite = (compositeRequest: unknown, allOrNone?: boolean): ReturnType<typeof get> =>
    send('POST', '/composite', { compositeRequest, ...(allOrNone === undefined ? {} : { allOrNone }) });
  const account = (Name: string | undefined, referenceId = 'account'): object => ({
    method: 'POST',
    url: `${root}/sobjects/Account`,
    referenceId,
    body: { Name },
  });
  const contact = {
    method: 'POST',
    url: `${root}/sobjects/Contact`,
    referenceId: 'contact',
    body: { LastName: 'New', AccountId: '@{account.id}' },
  };
  const accounts = async (): Promise<number> => (await soql('SELECT COUNT() FROM Account')).json['totalSize'] as number;

  it('lets a request use results of earlier requests', async () => {
    const found = {
      method: 'GET',
      url: `${root}/query?q=${encodeURIComponent("SELECT AccountId FROM Contact WHERE Id = '@{contact.id}'")}`,
      referenceId: 'found',
    };
    // The curly brackets of a reference stay as they are in a URL that is encoded otherwise.
    found.url = found.url.replace('%40%7B', '@{').replace('%7D', '}');

    const { status, json } = await composite([account('New Inc.'), contact, found]);

    expect(status).toBe(200);
    const [one, two, three] = json['compositeResponse'] as Json[];
    expect(one).toMatchObject({ httpStatusCode: 201, referenceId: 'account', body: { success: true } });
    expect(one!['httpHeaders']).toEqual({ Location: `${root}/sobjects/Account/${one!['body'].id}` });
    expect(two).toMatchObject({ httpStatusCode: 201 });
    expect(three!['body'].records[0].AccountId).toBe(one!['body'].id);
  });

  it.each([
    ['has quotation marks', 'Say "hi" \\ {"a":1}'],
    ['looks like a further field', 'x","FirstName":"injected'],
    ['has a line break', 'one\ntwo'],
    ['looks like a reference', '@{account.id}'],
  ])('fills in a value as it is if the value %s', async (_what, Name) => {
    const read = { method: 'GET', url: `${root}/sobjects/Account/@{account.id}`, referenceId: 'read' };
    const made = { ...contact, body: { LastName: '@{read.Name}', Title: 'of @{read.Name}' } };
    const found = { method: 'GET', url: `${root}/sobjects/Contact/@{contact.id}`, referenceId: 'found' };
    const created = await send('POST', '/sobjects/Account', { Name });
    read.url = `${root}/sobjects/Account/${created.json['id']}`;

    const { status, json } = await composite([account('Another'), read, made, found]);

    expect(status).toBe(200);
    expect(json['compositeResponse'][3].body).toMatchObject({ LastName: Name, Title: `of ${Name}`, FirstName: null });
  });

  it('leaves values that are no text as they are', async () => {
    const numbers = { ...account('One'), body: { Name: '"quoted"', AnnualRevenue: 5, Website: null } };
    const wrong = { ...contact, body: { LastName: 5 } };
    const read = { method: 'GET', url: `${root}/sobjects/Account/@{account.id}`, referenceId: 'read' };

    const { json } = await composite([numbers, wrong, read]);

    expect(json['compositeResponse']).toMatchObject([
      { httpStatusCode: 201 },
      { httpStatusCode: 400, body: [{ errorCode: 'JSON_PARSER_ERROR' }] },
      { httpStatusCode: 200, body: { Name: '"quoted"', AnnualRevenue: 5 } },
    ]);
  });

  it.each(['@{account.constructor.name}', '@{account.body.__proto__}', '@{account.success.length}'])(
    'finds no value that the reply itself does not have: %s',
    async (Title) => {
      const { json } = await composite([account('One'), { ...contact, body: { LastName: 'x', Title } }]);

      expect(json['compositeResponse'][1]).toMatchObject({
        httpStatusCode: 400,
        body: [{ errorCode: 'PROCESSING_HALTED' }],
      });
    },
  );

  it('continues after a failed request, and stops requests that depend on it', async () => {
    const before = await accounts();

    const { json } = await composite([account(undefined), contact, account('Another', 'other')]);

    expect(json['compositeResponse']).toMatchObject([
      { httpStatusCode: 400, body: [{ errorCode: 'REQUIRED_FIELD_MISSING' }] },
      { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] },
      { httpStatusCode: 201 },
    ]);
    expect(await accounts()).toBe(before + 1);
  });

  it('undoes all changes with allOrNone', async () => {
    const before = await accounts();

    const { json } = await composite([account('New Inc.'), account(undefined, 'other')], true);

    expect(json['compositeResponse']).toMatchObject([
      { httpStatusCode: 400, body: [{ errorCode: 'PROCESSING_HALTED' }] },
      { httpStatusCode: 400, body: [{ errorCode: 'REQUIRED_FIELD_MISSING' }] },
    ]);
    expect(await accounts()).toBe(before);
  });

  it.each([
    ['without a list', undefined],
    ['without a reference', [{ method: 'GET', url: `${root}/limits` }]],
    ['with a reference twice', [account('One'), account('Two')]],
    ['with too many parts', Array.from({ length: 26 }, (_, index) => account('One', `part${index}`))],
  ])('is refused %s', async (_what, parts) => {
    expect(await composite(parts)).toMatchObject({ status: 400, json: [{ errorCode: expect.any(String) }] });
    expect((await get(`${emulator.url}${root}/composite`, accessToken)).status).toBe(405);
  });

  it.each([
    'http://',
    'https://evil.example/services/data/v68.0/limits',
    '//x',
    'services/data',
    '/services/data/../../login',
    '@{account',
    '/services/data/v68.0/query?q=%E0%A4%A',
    '/services/data/v68.0/sobjects/Account/%E0%A4%A',
  ])('answers a part whose URL is %s with an error of that part', async (url) => {
    const { status, json } = await composite([{ method: 'GET', url, referenceId: 'bad' }, account('Good')]);

    expect(status).toBe(200);
    expect(json['compositeResponse']).toMatchObject([
      { referenceId: 'bad', httpStatusCode: expect.any(Number), body: [{ errorCode: expect.any(String) }] },
      { referenceId: 'account', httpStatusCode: 201 },
    ]);
    expect(json['compositeResponse'][0].httpStatusCode).toBeGreaterThanOrEqual(400);
    expect(json['compositeResponse'][0].httpStatusCode).toBeLessThan(500);
  });

  it('allows no composite inside a composite', async () => {
    const inner = { method: 'POST', url: `${root}/composite`, referenceId: 'inner', body: {} };

    expect((await composite([inner])).json['compositeResponse']).toMatchObject([{ httpStatusCode: 404 }]);
  });
});

describe('bulk jobs', () => {
  const job = (path: string, init: RequestInit = {}): ReturnType<typeof get> =>
    get(`${emulator.url}${root}/jobs/${path}`, accessToken, init);
  const create = async (kind: 'ingest' | 'query', body: object): Promise<Json> =>
    (await send('POST', `/jobs/${kind}`, body)).json;
  const upload = (id: string, body: string, type = 'text/csv'): ReturnType<typeof get> =>
    job(`ingest/${id}/batches`, { method: 'PUT', body, headers: { 'content-type': type } });
  const setState = (kind: string, id: string, state: string): ReturnType<typeof get> =>
    send('PATCH', `/jobs/${kind}/${id}`, { state });

  it('insert rows, and report the result of each row', async () => {
    const { id, state, contentUrl } = await create('ingest', { object: 'Contact', operation: 'insert' });
    expect([state, contentUrl]).toEqual(['Open', `${root.slice(1)}/jobs/ingest/${id}/batches`]);
    const rows = 'LastName,Title\n"O""Hara, Jr.",CEO\n,None\n';

    expect((await upload(id, rows)).status).toBe(201);
    expect((await setState('ingest', id, 'UploadComplete')).json['state']).toBe('UploadComplete');
    expect((await job(`ingest/${id}/successfulResults`)).status).toBe(400);
    expect((await job(`ingest/${id}`)).json['state']).toBe('InProgress');
    expect((await job(`ingest/${id}`)).json).toMatchObject({
      state: 'JobComplete',
      numberRecordsProcessed: 2,
      numberRecordsFailed: 1,
    });
    const successful = await job(`ingest/${id}/successfulResults`);
    expect(successful.headers.get('content-type')).toBe('text/csv');
    expect(successful.text).toMatch(
      /^"sf__Id","sf__Created","LastName","Title"\n"003\w{15}","true","O""Hara, Jr\.","CEO"\n$/,
    );
    expect((await job(`ingest/${id}/failedResults`)).text).toContain('"REQUIRED_FIELD_MISSING:');
    expect((await soql("SELECT Title FROM Contact WHERE LastName = 'O\"Hara, Jr.'")).json['totalSize']).toBe(1);
  });

  it('update and delete', async () => {
    const ids = (await soql('SELECT Id FROM Contact LIMIT 2')).json.records.map(({ Id }) => Id);
    const run = async (operation: string, rows: string): Promise<void> => {
      const { id } = await create('ingest', { object: 'Contact', operation });
      await upload(id, rows);
      await setState('ingest', id, 'UploadComplete');
    };

    await run('update', `Id,Title\n${ids[0]},Boss\n`);
    await run('delete', `Id\n${ids[1]}\n`);

    expect((await soql("SELECT Id FROM Contact WHERE Title = 'Boss'")).json['totalSize']).toBe(1);
    expect((await get(`${emulator.url}${root}/sobjects/Contact/${ids[1]}`, accessToken)).status).toBe(404);
  });

  it('return the result of a query in parts', async () => {
    const { id } = await create('query', {
      operation: 'query',
      query: 'SELECT Name, Industry FROM Account ORDER BY Name',
    });
    await job(`query/${id}`);
    await job(`query/${id}`);

    const first = await job(`query/${id}/results?maxRecords=7`);
    const next = first.headers.get('sforce-locator')!;
    const second = await job(`query/${id}/results?maxRecords=7&locator=${next}`);

    expect(first.text.split('\n').slice(0, 2)).toEqual(['"Name","Industry"', '"Burlington Textiles","Apparel"']);
    expect([first, second].map(({ headers }) => headers.get('sforce-numberofrecords'))).toEqual(['7', '3']);
    expect(second.headers.get('sforce-locator')).toBe('null');
  });

  it('refuse operations that their state does not allow', async () => {
    const { id } = await create('ingest', { object: 'Contact', operation: 'insert' });

    expect((await upload(id, '{}', 'application/json')).status).toBe(415);
    expect((await setState('ingest', id, 'JobComplete')).json).toMatchObject([{ errorCode: 'INVALIDJOBSTATE' }]);
    expect((await setState('ingest', id, 'Aborted')).json['state']).toBe('Aborted');
    expect((await upload(id, 'LastName\nLate\n')).status).toBe(400);
    expect((await job(`ingest/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await job(`ingest/${id}`)).status).toBe(404);
  });

  it('have an id of their own after another job was deleted', async () => {
    const body = { object: 'Contact', operation: 'insert' };
    const [first, second] = [await create('ingest', body), await create('ingest', body)];
    await upload(second.id, 'LastName\nOf the second');
    expect((await job(`ingest/${first.id}`, { method: 'DELETE' })).status).toBe(204);

    const third = await create('query', { operation: 'query', query: 'SELECT Id FROM Account' });

    expect(new Set([first.id, second.id, third.id]).size).toBe(3);
    expect((await job(`ingest/${second.id}`)).json).toMatchObject({ id: second.id, object: 'Contact', state: 'Open' });
    expect((await upload(second.id, 'again')).status).toBe(400);
  });

  it('fail as a whole if the rows cannot be read', async () => {
    const { id } = await create('ingest', { object: 'Contact', operation: 'insert' });
    await upload(id, '"LastName\nnever closed');
    await setState('ingest', id, 'UploadComplete');
    await job(`ingest/${id}`);

    expect((await job(`ingest/${id}`)).json).toMatchObject({ state: 'Failed', errorMessage: expect.any(String) });
  });

  it.each([
    ['ingest', { object: 'Nope', operation: 'insert' }],
    ['ingest', { object: 'User', operation: 'insert' }],
    ['ingest', { object: 'Contact', operation: 'upsert' }],
    ['query', { operation: 'insert', query: 'SELECT Id FROM Account' }],
    ['query', { operation: 'query', query: 'SELECT COUNT() FROM Account' }],
    ['query', { operation: 'query', query: 'SELECT Nope FROM Account' }],
  ] as const)('of %s are not made of %j', async (kind, body) => {
    expect(await send('POST', `/jobs/${kind}`, body)).toMatchObject({
      status: 400,
      json: [{ errorCode: expect.any(String) }],
    });
  });

  it('belong to one organization', async () => {
    const { id } = await create('ingest', { object: 'Contact', operation: 'insert' });
    accessToken = (await logIn(emulator, { user: emulator.users[2]! })).access_token;

    expect((await job(`ingest/${id}`)).status).toBe(404);
    expect((await job(`query/${id}`)).status).toBe(404);
  });
});

describe('the rest of /services/data', () => {
  it('lists versions without a session, and all else only with a session', async () => {
    expect((await get(`${emulator.url}/services/data`)).json['length']).toBeGreaterThan(10);
    expect((await get(`${emulator.url}${root}`)).status).toBe(401);
    expect((await get(`${emulator.url}${root}`, accessToken)).json['identity']).toContain('/id/00D');
  });

  it('counts requests in a header', async () => {
    expect((await soql('SELECT Id FROM Account')).headers.get('sforce-limit-info')).toMatch(/^api-usage=1\/15000$/);
  });

  it('identifies the caller', async () => {
    const { json } = await get(`${emulator.url}${root}/chatter/users/me`, accessToken);

    expect(json['username']).toBe(emulator.users[0]!.username);
  });

  it.each(partsNotEmulated)('says that it does not have %s', async (part) => {
    const reply = await get(`${emulator.url}${root}/${part}/more`, accessToken);

    expect(reply).toMatchObject({ status: 404, json: [{ errorCode: 'NOT_FOUND' }] });
    expect(reply.json[0].message).toContain(`Salesforce has ${part}, but the emulator does not`);
  });

  it('has versions up to the newest', async () => {
    const { json } = await get(`${emulator.url}/services/data`);

    expect((json as unknown as Json[]).at(-1)).toMatchObject({ version: newestApiVersion });
    for (const [version, status] of [
      [newestApiVersion, 200],
      ['31.0', 200],
      ['30.0', 404],
      ['99.0', 404],
    ] as const) {
      expect((await get(`${emulator.url}/services/data/v${version}/limits`, accessToken)).status).toBe(status);
    }
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

describe('docs/guide/testing.md', () => {
  it('names the parts that the emulator does not have', () => {
    const list = /<!-- not emulated -->\s+([^]*?)\n\n/.exec(readFileSync('docs/guide/testing.md', 'utf8'))![1]!;

    expect([...list.matchAll(/`(.*?)`/g)].map(([, name]) => name)).toEqual(partsNotEmulated);
  });
});
