import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { get, logIn, type Json } from './support';

const root = '/services/data/v68.0';
let emulator: Emulator;
let accessToken: string;
beforeEach(async () => {
  emulator = await startTestEmulator();
  accessToken = (await logIn(emulator)).access_token;
});

const send = (method: string, path: string, body?: unknown, token = accessToken): ReturnType<typeof get> =>
  get(`${emulator.url}${root}${path}`, token, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
const count = async (soql: string): Promise<number> =>
  (await send('GET', `/query?q=${encodeURIComponent(soql)}`)).json['totalSize'] as number;
const account = (fields: Record<string, unknown>): Record<string, unknown> => ({
  attributes: { type: 'Account' },
  ...fields,
});

describe('composite/sobjects', () => {
  it('creates, reads, updates and deletes many records', async () => {
    const created = await send('POST', '/composite/sobjects', {
      records: [account({ Name: 'One' }), { attributes: { type: 'Contact' }, LastName: 'Two' }],
    });
    const [one, two] = (created.json as unknown as Json[]).map(({ id }) => id);
    const updated = await send('PATCH', '/composite/sobjects', {
      records: [account({ id: one, Name: 'Uno' }), { attributes: { type: 'Contact' }, Id: two, Title: 'CEO' }],
    });
    const read = await send('GET', `/composite/sobjects/Account?ids=${one},001FAKE00009999&fields=Name,Id`);
    const posted = await send('POST', '/composite/sobjects/Contact', { ids: [two], fields: ['Title'] });
    const deleted = await send('DELETE', `/composite/sobjects?ids=${one},${two}&allOrNone=true`);

    expect(created).toMatchObject({ status: 200, json: [{ success: true, errors: [] }, { success: true }] });
    expect(updated).toMatchObject({ status: 200, json: [{ id: one, success: true, errors: [] }, { id: two }] });
    expect(read.json).toEqual([
      { attributes: { type: 'Account', url: `${root}/sobjects/Account/${one}` }, Name: 'Uno', Id: one },
      null,
    ]);
    expect(posted.json).toMatchObject([{ Title: 'CEO' }]);
    expect(deleted).toMatchObject({
      status: 200,
      json: [
        { id: one, success: true },
        { id: two, success: true },
      ],
    });
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'Uno'`)).toBe(0);
  });

  it('is a part of a composite request, and of a batch', async () => {
    const records = [account({ Name: 'In a composite' })];
    const url = `${root}/composite/sobjects`;
    const part = { method: 'POST', url, referenceId: 'many', body: { records } };
    const composite = await send('POST', '/composite', { compositeRequest: [part] });
    const batch = await send('POST', '/composite/batch', {
      batchRequests: [{ method: 'POST', url, richInput: { records } }],
    });
    const nested = await send('POST', '/composite', {
      compositeRequest: [{ ...part, url: `${root}/composite`, body: { compositeRequest: [part] } }],
    });

    expect(composite.json['compositeResponse']).toMatchObject([{ httpStatusCode: 200, body: [{ success: true }] }]);
    expect(batch.json['results']).toMatchObject([{ statusCode: 200, result: [{ success: true }] }]);
    expect(nested.json['compositeResponse']).toMatchObject([{ httpStatusCode: 404 }]);
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'In a composite'`)).toBe(2);
  });

  it('reports the result of each record', async () => {
    const { json } = await send('POST', '/composite/sobjects', {
      records: [account({}), account({ Name: 'Good' }), { attributes: { type: 'Nope' } }, { Name: 'of no type' }],
    });

    expect(json).toMatchObject([
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING', fields: ['Name'] }] },
      { success: true },
      { success: false, errors: [{ statusCode: 'INVALID_TYPE' }] },
      { success: false, errors: [{ statusCode: 'INVALID_TYPE' }] },
    ]);
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'Good'`)).toBe(1);
  });

  it('undoes all changes with allOrNone', async () => {
    const { json } = await send('POST', '/composite/sobjects', {
      allOrNone: true,
      records: [account({ Name: 'Good' }), account({ Nope: 1 })],
    });

    expect(json).toMatchObject([
      { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' }] },
      { success: false, errors: [{ statusCode: 'INVALID_FIELD' }] },
    ]);
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'Good'`)).toBe(0);
  });

  it('does not touch records of another organization', async () => {
    const other = (await logIn(emulator, { user: emulator.users[2]! })).access_token;
    const { json } = await send('POST', '/composite/sobjects', { records: [account({ Name: 'Ours' })] });
    const id = (json as unknown as Json[])[0]!.id;

    const deleted = await send('DELETE', `/composite/sobjects?ids=${id}`, undefined, other);
    const updated = await send('PATCH', '/composite/sobjects', { records: [account({ id, Name: 'Theirs' })] }, other);

    expect(deleted.json).toMatchObject([{ success: false }]);
    expect(updated.json).toMatchObject([{ success: false }]);
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'Ours'`)).toBe(1);
  });

  it.each([
    ['POST', '/composite/sobjects', {}],
    ['POST', '/composite/sobjects', { records: 'none' }],
    ['POST', '/composite/sobjects', { records: [null] }],
    ['POST', '/composite/sobjects', { records: Array.from({ length: 201 }, () => account({ Name: 'x' })) }],
    ['DELETE', '/composite/sobjects', undefined],
    ['PUT', '/composite/sobjects', { records: [] }],
    ['GET', '/composite/sobjects/Nope?ids=1&fields=Id', undefined],
    ['GET', '/composite/sobjects/Account?ids=1', undefined],
    ['PATCH', '/composite/sobjects/Account/Name', { records: [] }],
    ['GET', '/composite/sobjects/Account/ExternalId__c/more', undefined],
  ])('refuses %s %s with %j', async (method, path, body) => {
    const reply = await send(method, path, body);

    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.status).toBeLessThan(500);
    expect(reply.json).toMatchObject([{ errorCode: expect.any(String) }]);
  });
});

describe('upsert by external id', () => {
  const path = '/sobjects/Account/ExternalId__c/A-1%2F2';

  it('creates, then updates, and finds the record by the same path', async () => {
    const created = await send('PATCH', path, { Name: 'One' });
    const updated = await send('PATCH', path, { Name: 'Uno' });
    const read = await send('GET', `${path}?fields=Name,ExternalId__c`);
    const deleted = await send('DELETE', path);

    expect(created).toMatchObject({ status: 201, json: { success: true, errors: [], created: true } });
    expect(updated).toMatchObject({ status: 200, json: { id: created.json['id'], created: false } });
    expect(read.json).toMatchObject({ Name: 'Uno', ExternalId__c: 'A-1/2' });
    expect(deleted.status).toBe(204);
    expect((await send('GET', path)).status).toBe(404);
  });

  it('keeps external ids unique without regard to case', async () => {
    const { json } = await send('PATCH', path, { Name: 'One' });
    const second = await send('POST', '/sobjects/Account', { Name: 'Two', ExternalId__c: 'a-1/2' });
    const own = await send('PATCH', `/sobjects/Account/${json['id']}`, { ExternalId__c: 'A-1/2' });

    expect(second).toMatchObject({ status: 400, json: [{ errorCode: 'DUPLICATE_VALUE' }] });
    expect(own.status).toBe(204);
  });

  it('updates by Id, and creates no record with an Id', async () => {
    const { json } = await send('POST', '/sobjects/Account', { Name: 'One' });

    expect((await send('PATCH', `/sobjects/Account/Id/${json['id']}`, { Name: 'Uno' })).status).toBe(200);
    expect((await send('PATCH', '/sobjects/Account/Id/001FAKE00009999', { Name: 'x' })).status).toBe(404);
    expect((await send('PATCH', path, {})).json).toMatchObject([{ errorCode: 'REQUIRED_FIELD_MISSING' }]);
    expect((await send('PATCH', '/sobjects/Account/Name/x', {})).status).toBe(404);
  });

  it('upserts many records', async () => {
    const records = ['1', '2'].map((id) => account({ ExternalId__c: id, Name: `Account ${id}` }));
    const first = await send('PATCH', '/composite/sobjects/Account/ExternalId__c', { records });
    const again = await send('PATCH', '/composite/sobjects/Account/ExternalId__c', {
      allOrNone: true,
      records: [account({ ExternalId__c: '1', Name: 'Changed' }), account({ Name: 'without one' })],
    });

    expect(first.json).toMatchObject([{ created: true }, { created: true }]);
    expect(again.json).toMatchObject([
      { success: false, errors: [{ statusCode: 'ALL_OR_NONE_OPERATION_ROLLED_BACK' }] },
      { success: false, errors: [{ statusCode: 'MISSING_ARGUMENT', fields: ['ExternalId__c'] }] },
    ]);
    expect(await count(`SELECT COUNT() FROM Account WHERE Name = 'Account 1' OR Name = 'Account 2'`)).toBe(2);
  });
});

describe('composite/batch', () => {
  const batch = (batchRequests: unknown, haltOnError?: boolean): ReturnType<typeof get> =>
    send('POST', '/composite/batch', { batchRequests, haltOnError });

  it('answers each request independently', async () => {
    const { status, json } = await batch([
      { method: 'POST', url: 'v68.0/sobjects/Account', richInput: { Name: 'One' } },
      { method: 'GET', url: '/v68.0/sobjects/Nope' },
      { method: 'GET', url: '/services/data/v67.0/query?q=SELECT+COUNT()+FROM+Account' },
    ]);

    expect(status).toBe(200);
    expect(json['hasErrors']).toBe(true);
    expect(json['results']).toMatchObject([
      { statusCode: 201, result: { success: true } },
      { statusCode: 404, result: [{ errorCode: 'NOT_FOUND' }] },
      { statusCode: 200, result: { totalSize: 11 } },
    ]);
  });

  it('stops at the first error with haltOnError', async () => {
    const { json } = await batch(
      [
        { method: 'GET', url: 'v68.0/nope' },
        { method: 'GET', url: 'v68.0/limits' },
      ],
      true,
    );

    expect(json['results']).toMatchObject([
      { statusCode: 404 },
      { statusCode: 412, result: [{ errorCode: 'BATCH_PROCESSING_HALTED' }] },
    ]);
  });

  it.each(['http://', '//', 'v68.0/composite/batch', '..'])(
    'answers the URL %s with an error of its own',
    async (url) => {
      const { status, json } = await batch([{ method: 'GET', url }]);

      expect(status).toBe(200);
      expect(json['results'][0].statusCode).toBeGreaterThanOrEqual(400);
      expect(json['results'][0].statusCode).toBeLessThan(500);
    },
  );

  it.each([undefined, 'none', [{ method: 'GET' }], Array.from({ length: 26 }, () => ({ method: 'GET', url: 'x' }))])(
    'refuses %j',
    async (requests) => {
      expect((await batch(requests)).status).toBe(400);
    },
  );
});
