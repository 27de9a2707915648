import type { AppAge, Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { takeViolations } from '../helpers/oracle';
import { authorizeUrl, get, logIn, refresh } from './support';

const day = 24 * 60 * 60;
describe.each<[AppAge, { requiresPkce: boolean; rotates: boolean; idleDays: number | undefined }]>([
  ['current', { requiresPkce: true, rotates: true, idleDays: 30 }],
  ['legacy', { requiresPkce: false, rotates: false, idleDays: undefined }],
])('an app that is %s', (app, { requiresPkce, rotates, idleDays }) => {
  let emulator: Emulator;
  beforeEach(async () => {
    emulator = await startTestEmulator({ app });
  });

  it(requiresPkce ? 'requires PKCE' : 'takes a login without PKCE', async () => {
    const { headers } = await get(authorizeUrl(emulator, { params: { code_challenge: undefined } }));

    if (requiresPkce) expect(headers.get('location')).toContain('error_description=missing+required+code+challenge');
    else expect(headers.get('location')).toContain('/login');
    expect((await logIn(emulator)).access_token).toMatch(/^00D/);
  });

  it(rotates ? 'rotates refresh tokens' : 'keeps refresh tokens', async () => {
    const { refresh_token } = await logIn(emulator);

    const first = await refresh(emulator, refresh_token);
    const second = await refresh(emulator, refresh_token);

    expect(first.status).toBe(200);
    expect('refresh_token' in first.json).toBe(rotates);
    expect(second.status).toBe(rotates ? 400 : 200);
    expect(takeViolations(emulator)).toHaveLength(rotates ? 1 : 0);
  });

  it(idleDays === undefined ? 'has no idle limit' : 'ends a refresh token 30 days after its last use', async () => {
    let { refresh_token } = await logIn(emulator);
    const use = async (): Promise<number> => {
      const { status, json } = await refresh(emulator, refresh_token);
      if ('refresh_token' in json) ({ refresh_token } = json);
      return status;
    };

    emulator.clock.advanceSeconds(29 * day);
    expect(await use()).toBe(200);
    emulator.clock.advanceSeconds(29 * day);
    expect(await use()).toBe(200);
    emulator.clock.advanceSeconds(30 * day);
    expect(await use()).toBe(idleDays === undefined ? 200 : 400);
  });

  it(rotates ? 'has locked settings' : 'has settings that can be changed', () => {
    const { clientID } = emulator.clients[0]!;
    const change = (changes: object) => () => emulator.setPolicy(clientID, changes);
    const switches = [{ requirePkce: !requiresPkce }, { rotateRefreshTokens: !rotates }, { idleTTLSeconds: 60 }];

    for (const changes of switches) {
      if (rotates) expect(change(changes)).toThrow(/Salesforce has locked \w+ in today.s apps/);
      else expect(change(changes)).not.toThrow();
    }
    // The rest is as before, and what is equal is no change.
    expect(change({ ...emulator.clients[0]!.policy, blocked: true })).not.toThrow();
  });

  it('is the default for further clients', () => {
    const further = emulator.registerClient({ callbackURLs: [] });
    const other = emulator.registerClient({ callbackURLs: [], app: app === 'legacy' ? 'current' : 'legacy' });

    expect(further.policy.rotateRefreshTokens).toBe(rotates);
    expect(other.policy.rotateRefreshTokens).toBe(!rotates);
  });
});

describe('today’s app', () => {
  it('can be unlocked, because its settings are known from reports only', async () => {
    const emulator = await startTestEmulator({ app: 'current', policy: { requirePkce: false } });
    const { clientID } = emulator.clients[0]!;

    expect((await logIn(emulator)).access_token).toMatch(/^00D/);
    emulator.setPolicy(clientID, { locked: false, rotateRefreshTokens: false });
    expect(emulator.clients[0]!.policy.rotateRefreshTokens).toBe(false);
  });

  it('shows no button for its rotation in the console', async () => {
    const form = 'action="/console/rotate"';
    const pageOf = async (app: AppAge): Promise<string> =>
      (await get(`${(await startTestEmulator({ app, console: true })).url}/console`)).text;

    expect(await pageOf('current')).not.toContain(form);
    expect(await pageOf('current')).toContain(
      'PKCE required · opaque access tokens · rotation on · PKCE and rotation locked',
    );
    expect(await pageOf('legacy')).toContain(form);
  });
});
