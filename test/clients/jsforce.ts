import { logInFor, startProgram } from './support';

/** What the tests have a jsforce do, wherever it is installed. */
export function describeJsforce(client: string): void {
  it('login with PKCE, identity, `find` with conditions and parents, `count`, collections, upsert, refresh and logout', async () => {
    const scene = await startProgram(client, { name: 'jsforce', app: 'legacy' });
    const { emulator, program } = scene;

    expect(await logInFor(scene)).toEqual({ expire: true });
    emulator.expireAccessTokens();
    program.send({});

    expect(await program.next()).toEqual({
      username: 'ada@acme.example',
      found: [
        ['Forbes', 'Edge Communications'],
        ['Frank', 'GenePoint'],
        ['Gonzalez', 'Edge Communications'],
      ],
      count: 2,
      succeeded: true,
      industries: ['Energy', 'Energy'],
      created: [true, false],
      requests: 15000,
      refreshes: 1,
    });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('(at an app made today it keeps a refresh token that rotation has spent, so one refresh is all)', async () => {
    const scene = await startProgram(client, { name: 'jsforce', app: 'current' });
    const { emulator, program } = scene;

    expect(await logInFor(scene)).toEqual({ expire: true });
    emulator.expireAccessTokens();
    program.send({});

    // It refreshes, and then its logout presents the old token.
    await expect(program.next()).rejects.toThrow('invalid_token');
    expect([...emulator.presentations.values()]).toEqual([1]);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
}
