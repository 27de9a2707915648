import { startTestEmulator } from '../helpers/emulator';
import { authorize, exchangeCode, get } from './support';

/* In a file of its own: the first token of a process waits until the keys of the emulator are made. */

it('a code that comes again while its first exchange makes a token leaves no token that works', async () => {
  const emulator = await startTestEmulator({ policy: { accessTokenFormat: 'jwt' } });
  const code = (await authorize(emulator)).get('code')!;

  const replies = await Promise.all([exchangeCode(emulator, code), exchangeCode(emulator, code)]);

  expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
  const { json } = replies.find(({ status }) => status === 200)!;
  expect((await get(`${emulator.url}/services/data/v64.0/limits`, json.access_token)).status).toBe(401);
  expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
});
