/** @tier all */
import request from 'supertest';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';
import { browserOf, startApp } from '../helpers/app';
import { startNginx, type Nginx } from '../helpers/nginx';
import { describeWith } from '../helpers/programs';

/* Tabs that a browser opens at the same moment: none sends the cookies of the others, and all send them later. */

describeWith('nginx')('behind an nginx without settings of its own, tabs that begin a login at the same moment', () => {
  let nginx: Nginx;
  afterEach(() => nginx.stop());

  /** Tabs at the page of Salesforce, and the cookies of all of them. */
  async function opened(count: number) {
    const emulator = await startTestEmulator();
    const callbackURL = '/auth/salesforce/callback';
    const { client, url } = await startApp({ emulator, options: { callbackURL } });
    nginx = await startNginx([Number(new URL(url).port)]);
    client.callbackURLs.push(nginx.url + callbackURL);
    const begun = await Promise.all(
      Array.from({ length: count }, (_, tab) =>
        browserOf(nginx.url).get(
          `/auth/salesforce?returnTo=${encodeURIComponent(`/accounts/${tab}?page=3&sort=name`)}`,
        ),
      ),
    );
    const cookies = begun.flatMap(({ headers }) => headers['set-cookie'] as unknown as string[]);
    const jar = cookies.map((cookie) => cookie.split(';')[0]!);
    return { emulator, jar, addresses: begun.map(({ headers }) => headers['location']!) };
  }

  // The size of a cookie varies by some bytes, so the callback of fifteen tabs makes room in some runs and need not in others.
  it.each([
    { count: 14, mayLose: 0 },
    { count: 15, mayLose: 1 },
  ])('can be $count: the callback of the last one logs in, and at most $mayLose lose their login', async (tabs) => {
    const { count, mayLose } = tabs;
    const { emulator, jar, addresses } = await opened(count);
    const { username, password } = emulator.users[0]!;
    const back = new URL(await logInAtEmulator({ authorizeUrl: addresses[count - 1]!, username, password }));

    const answer = await request(nginx.url)
      .get(back.pathname + back.search)
      .set('Cookie', jar.join('; '));

    expect([answer.status, answer.headers['location']]).toEqual([302, `/accounts/${count - 1}?page=3&sort=name`]);
    const lost = (answer.headers['set-cookie'] as unknown as string[]).filter((cookie) => cookie.includes('=;'));
    expect(lost.length).toBeLessThanOrEqual(mayLose);
  });

  it('are too many if they are forty: nginx refuses the header before it reaches the application', async () => {
    const { jar } = await opened(40);

    expect((await request(nginx.url).get('/').set('Cookie', jar.join('; '))).status).toBe(400);
  });
});
