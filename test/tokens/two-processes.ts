import type { TokenStore } from '../../lib/stores';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

/**
 * What two processes owe that hear of changes.
 *
 * @param make the stores of the two, which tell each other of changes
 */
export function describeNotifications(kind: string, make: () => [TokenStore, TokenStore]): void {
  describe(`two processes that hear of changes through ${kind}`, () => {
    /** Their clocks stand still: whoever waits for a next look at the store, or for its memory to age, waits for ever. */
    async function start() {
      const emulator = await startTestEmulator();
      const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
      const processes: TestApp[] = [];
      for (const store of make()) {
        const create = onClient(emulator, client, { store, clock: new ManualClock() });
        processes.push(await startApp({ emulator, create }));
      }
      const [first, second] = processes as [TestApp, TestApp];
      const tab = first.browser();
      await logIn(tab, emulator);
      const { grantId } = (await tab.get('/me')).body as { grantId: string };
      const limits = async ({ salesforce }: TestApp): Promise<number> => {
        const grant = await salesforce.tokens.get(grantId);
        return (await grant.fetch('/services/data/v62.0/limits')).status;
      };
      expect(await limits(second)).toBe(200);
      return { emulator, first, second, grantId, limits };
    }

    it('go on as soon as the other has refreshed', async () => {
      const { emulator, first, second, limits } = await start();
      emulator.expireAccessTokens();
      const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
      const mine = limits(first);
      await held.reached;
      const waits = new Promise((resolve) => second.salesforce.events.once('claim.delayed', resolve));
      const theirs = limits(second);
      await waits;

      held.release();

      expect([await mine, await theirs]).toEqual([200, 200]);
      expect([...emulator.presentations.values()]).toEqual([1]);
    });

    it('serve nothing from memory that was logged out elsewhere', async () => {
      const { first, second, grantId } = await start();

      await first.salesforce.tokens.revoke(grantId);
      let refused: unknown;
      // The news takes a moment on its way. Salesforce is not asked, which would refuse the token.
      for (let turn = 0; refused === undefined && turn < 10_000; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        await second.salesforce.tokens.get(grantId).catch((error: unknown) => {
          refused = error;
        });
      }

      expect(refused).toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    });
  });
}
