/** @tier all */
import { loggedIn, refreshes } from './support';

describe('a token that has ended', () => {
  it('is refreshed once for 1,000 requests at the same moment', async () => {
    const { emulator, tab, salesforce, grantId } = await loggedIn();
    await tab.get('/accounts');
    emulator.expireAccessTokens();

    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const client = await salesforce.tokens.get(grantId);
        return (await client.fetch('/services/data/v62.0/limits')).status;
      }),
    );

    expect(answers.filter((status) => status === 200)).toHaveLength(1_000);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('is refreshed once for 1,000 HTTP requests past its known end', async () => {
    const { emulator, clock, tab, url } = await loggedIn({
      policy: { rotateRefreshTokens: true, accessTokenFormat: 'jwt' },
      routes: (app) => app.get('/cookie', (req, res) => res.json(req.headers.cookie)),
    });
    const cookie = (await tab.get('/cookie')).body as string;
    clock.advanceSeconds(1800);

    const answers: { status: number; accessToken: string }[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, async () => {
        const answer = await fetch(`${url}/token`, { headers: { cookie } });
        answers.push({ status: answer.status, ...((await answer.json()) as { accessToken: string }) });
      }),
    );

    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1_000);
    expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('is replaced a hundred times in a row without a login', async () => {
    const { emulator, tab } = await loggedIn();

    for (let round = 0; round < 100; round++) {
      emulator.expireAccessTokens();
      expect((await tab.get('/accounts')).status).toBe(200);
    }

    expect(refreshes(emulator)).toHaveLength(100);
    expect([...emulator.presentations.values()].every((count) => count === 1)).toBe(true);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/authorize'))).toHaveLength(1);
  });
});
