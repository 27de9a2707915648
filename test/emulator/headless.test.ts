import type { Emulator } from '../../lib/emulator';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import { post } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator({ policy: { authorizationCodeAndCredentials: true, requirePkce: false } });
});

const { user, pass } = { user: 'ada@acme.example', pass: '__fake_password_1__' };
const basic = { authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}` };
const body = { username: user, password: pass };

function ask(form: Record<string, string>, headers: Record<string, string>): ReturnType<typeof post> {
  return post(
    `${emulator.siteUrl}/services/oauth2/authorize`,
    {
      response_type: 'code_credentials',
      client_id: emulator.clients[0]!.clientID,
      redirect_uri: defaultCallbackURL,
      ...form,
    },
    { 'auth-request-type': 'Named-User', ...headers },
  );
}

describe('a headless login', () => {
  it.each([
    ['in the Basic header', {}, basic],
    ['in the body', body, {}],
  ])('accepts user credentials %s', async (_, form, headers) => {
    const reply = await ask(form, headers);

    expect(reply.status).toBe(302);
    expect(reply.headers.get('location')).toContain('code=aPrx');
  });

  it('accepts them only in the body if the app requires that', async () => {
    emulator.setPolicy(emulator.clients[0]!.clientID, { isCodeCredentialPostOnly: true });

    // A header is not looked at: the login page comes, as is reported of Salesforce.
    const page = await ask({}, basic);
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html;charset=UTF-8']);
    expect(page.headers.get('location')).toBeNull();
    // A client that sends both is mistaken.
    expect(await ask(body, basic)).toMatchObject({ status: 400, json: { error: 'invalid_request' } });
    expect((await ask(body, {})).status).toBe(302);
  });

  it.each([
    ['a wrong password', { ...body, password: 'wrong' }],
    ['no password', { username: user }],
    ['nothing', {}],
  ])('refuses %s', async (_, form) => {
    expect(await ask(form as Record<string, string>, {})).toMatchObject({
      status: 401,
      json: { error: 'invalid_grant' },
    });
  });
});
