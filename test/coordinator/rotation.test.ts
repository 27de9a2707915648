import { salesforceFetch } from '../../lib/client/fetch';
import type { GrantHolder } from '../../lib/coordinator/grants';
import { requiresLogin } from '../../lib/errors';
import type { TokenSet } from '../../lib/token/types';
import type { Trouble } from '../schedules/network';
import { takeExceptions } from '../helpers/oracle';
import { essence, Laboratory, reauthentication } from './laboratory';

/*
 * Rotation was off, and an administrator switches it on while answers are lost. A grant that relies on what was known presents
 * a token that is spent: once, for all grants of the client and organization in both processes.
 */

const dropped: Trouble = { isDropped: true };
const scope = 'id api refresh_token';

/** Many users, each with a session in both processes, and a lost answer each while rotation was switched on. */
async function outage(isCarriedOut: (presentation: number) => boolean): Promise<{
  lab: Laboratory;
  sessions: GrantHolder[];
  logins: number;
  presentedFirst: number;
}> {
  const lab = await Laboratory.open({ processes: 2, rotates: false });
  const { world } = lab;
  const { provider, client } = world.salesforce;
  const sessions = [lab.session];
  for (let number = 1; number < 8; number++) {
    const user = {
      ...provider.users[0]!,
      userId: `005000000000${String(number).padStart(3, '0')}AAA`,
      username: `${number}@acme.example`,
    };
    provider.users.push(user);
    sessions.push(
      await lab.during(world.login(world.process(number), scope, provider.users.indexOf(user)), 100).then((it) => it!),
    );
  }
  const loggedOut = new Set<GrantHolder>();
  const use = async (): Promise<void> => {
    const answers = sessions.map((session, number) => {
      const { grantId, generation } = session;
      const process = lab.process(number);
      const asked = (): Promise<unknown> =>
        salesforceFetch(process.core.coordinator, { grantId, generation }, '/services/data/v62.0/limits');
      return process.run(asked).catch((error: unknown) => {
        if (requiresLogin(error)) loggedOut.add(session);
      });
    });
    await world.elapse(1_000);
    await Promise.all(answers);
  };
  // Each grant learns that rotation is off.
  provider.grants.expireAccessTokens({});
  await use();
  expect(provider.presentations.violations).toEqual([]);

  provider.clients.setPolicy(client.clientID, { rotateRefreshTokens: true });
  let presentation = 0;
  world.trouble = (_url, form) =>
    form.has('refresh_token') ? { ...dropped, isCarriedOut: isCarriedOut(presentation++) } : { code: 'ECONNREFUSED' };
  provider.grants.expireAccessTokens({});
  await use();
  expect(presentation).toBe(sessions.length);
  let presentedFirst = 0;
  world.trouble = (_url, form) => {
    if (form.has('refresh_token')) presentedFirst += 1;
    return { code: 'ECONNREFUSED' };
  };
  for (let second = 0; second < 15; second++) await use();
  world.trouble = undefined;
  for (let second = 0; second < 150; second++) await use();
  return { lab, sessions, logins: loggedOut.size, presentedFirst };
}

describe('rotation that is switched on while answers are lost', () => {
  it('costs the one login whose token was spent, and presents no other spent token', async () => {
    const { lab, logins } = await outage((presentation) => presentation === 0);
    const { violations } = lab.world.salesforce.provider.presentations;

    expect(takeExceptions(violations)).toEqual({ rotationSwitchedOn: 1, retry: 0 });
    expect(violations).toEqual([]);
    expect(logins).toBe(1);
  });

  it('presents one spent token, although every answer was lost with the next token', async () => {
    const { lab, logins, sessions } = await outage(() => true);
    const { violations } = lab.world.salesforce.provider.presentations;

    expect(takeExceptions(violations)).toEqual({ rotationSwitchedOn: 1, retry: 0 });
    expect(violations).toEqual([]);
    expect(logins).toBe(sessions.length);
  });

  it('costs no login if Salesforce has carried out none of the requests', async () => {
    const { lab, logins } = await outage(() => false);

    expect(logins).toBe(0);
    expect(lab.world.salesforce.provider.presentations.violations).toEqual([]);
  });

  it('has one grant present first while Salesforce cannot be reached, and the others wait', async () => {
    const { presentedFirst, sessions } = await outage(() => false);

    expect(presentedFirst).toBeGreaterThan(0);
    expect(presentedFirst).toBeLessThan(sessions.length);
  });
});

describe('a grant that relies on rotation being off, and another grant that shows meanwhile that rotation is on', () => {
  /** Two users. The first one's refresh token is spent, since rotation was switched on, and the answer is lost. */
  async function doubted() {
    const lab = await Laboratory.open({ rotates: false });
    const { world } = lab;
    const { provider, client } = world.salesforce;
    const other = (await lab.during(world.login(world.process(0), scope, 1), 100))!;
    await lab.getOther();
    provider.clients.setPolicy(client.clientID, { rotateRefreshTokens: true });
    world.fail('drop-after');
    await lab.getOther();
    await world.elapse(5_000);
    const { grantId, generation } = other;
    const { accessToken } = JSON.parse((await lab.store.read(grantId))!.payload) as TokenSet;
    const process = lab.process();
    const showOn = (): Promise<unknown> =>
      process.run(() => process.core.coordinator.get({ grantId, generation }, { rejected: accessToken }));
    return { lab, showOn };
  }

  it('presents nothing once its process was stopped under its claim', async () => {
    const { lab, showOn } = await doubted();
    const { clock, store } = lab.process();
    const arm = store.arm.bind(store);
    jest.spyOn(store, 'arm').mockImplementationOnce(async (...given) => {
      const isArmed = await arm(...given);
      await showOn();
      clock.jumpMs(8_000);
      return isArmed;
    });

    await lab.get();
    await lab.world.elapse(60_000);

    expect(essence(await lab.get())).toEqual(reauthentication);
  });

  it('presents nothing more once Salesforce turned it away', async () => {
    const { lab, showOn } = await doubted();
    const { refreshToken } = await lab.tokens();
    lab.faults.inject({
      ...{ on: 'refresh', kind: 'status', status: 429 },
      match: ({ body }) => body?.['refresh_token'] === refreshToken,
    });

    const shown = showOn();
    await lab.get();
    await shown;
    await lab.world.elapse(60_000);

    expect(essence(await lab.get())).toEqual(reauthentication);
    const { violations } = lab.world.salesforce.provider.presentations;
    expect(takeExceptions(violations)).toEqual({ rotationSwitchedOn: 1, retry: 0 });
  });
});
