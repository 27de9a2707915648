/** @tier all */
import { join } from 'node:path';
import { dist } from '../helpers/built';
import { startTestEmulator } from '../helpers/emulator';
import { Program } from '../helpers/program';
import { describeWith } from '../helpers/programs';
import { startRedis } from '../stores/servers/redis';

interface Tally {
  jobs: Record<string, number>;
  users: Record<string, number>;
}

describeWith('Redis')('a scheduled job and a logged-in user, in two processes on Redis', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  it('cost one token request per grant, if both tokens end at once and each has a thousand requests', async () => {
    expect(dist).toBeTruthy();
    const redis = await startRedis();
    stops.push(redis.stop);
    const emulator = await startTestEmulator({ instance: 'my-domain' });
    const { clientID, clientSecret } = emulator.clients[0]!;
    emulator.setPolicy(clientID, { clientCredentialsRunAs: emulator.users[1]!.username });
    const settings = JSON.stringify({ redisUrl: redis.url, clientID, clientSecret, baseUrl: emulator.myDomainUrl });
    const programs = [1, 2].map(
      () =>
        new Program(join(__dirname, 'programs/worker.mjs'), [settings], {
          execPath: process.execPath,
          env: { PATH: process.env['PATH'] },
        }),
    );
    for (const program of programs) stops.push(() => program.end());
    await Promise.all(programs.map((program) => program.heard('ready')));
    const cookie = await emulator.logInTo(await programs[0]!.call<string>('url'));
    const run = (count: number): Promise<Tally[]> =>
      Promise.all(programs.map((program) => program.call<Tally>('run', { cookie, count })));
    await run(1);
    emulator.expireAccessTokens();
    emulator.requests.splice(0);

    const tallies = await run(500);

    expect(tallies).toEqual(Array(2).fill({ jobs: { 200: 500 }, users: { 200: 500 } }));
    const asked = emulator.requests
      .filter(({ path }) => path.endsWith('/services/oauth2/token'))
      .map(({ body }) => (body as { grant_type: string }).grant_type);
    expect(asked.sort()).toEqual(['client_credentials', 'refresh_token']);
  });
});
