/** @tier all */
import { IncomingMessage } from 'node:http';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { behaviours } from './behaviours';
import { SideBySide, type Kind, type Loose } from './side-by-side';
import { expectTable } from './table';

/* docs/reference/strategy.md has a row for each behaviour. UPDATE_STRATEGY_TABLE=1 writes its table anew from this run. */

const rows: Record<Kind, string>[] = [];

/* eslint-disable @typescript-eslint/no-require-imports -- loaded only before its rows run */
const load = { passport: (): unknown => require('passport'), passport4: (): unknown => require('passport4') };
/* eslint-enable */

describe.each(['passport', 'passport4'] as const)('SalesforceStrategy beside passport-oauth2 in %s', (module) => {
  const restore = keepPrototype();
  let emulator: Emulator;
  let app: SideBySide;

  beforeAll(async () => {
    emulator = await startTestEmulator();
    // Passport 0.4 puts its functions on all requests of the process as it is loaded.
    const { Passport } = load[module]() as { Passport: new () => Loose };
    app = new SideBySide(new Passport(), emulator);
    await app.start();
  });

  afterAll(() => {
    app.stop();
    restore();
  });

  it.each(behaviours.map((behaviour, index) => ({ ...behaviour, index })))(
    '$name: $verdict',
    async ({ setup = {}, see, verdict, index }) => {
      const plain = await see(app.mount('plain', setup));
      const ours = await see(app.mount('ours', setup));
      if (module === 'passport') rows[index] = { plain, ours };

      if (verdict === 'same') expect(ours).toBe(plain);
      else expect(ours).not.toBe(plain);
    },
  );
});

it('docs/reference/strategy.md shows what this run saw', () => {
  expectTable(
    'behaviours',
    'Behavior',
    behaviours.map(({ name, verdict, why }, index) => ({
      ...{ name, ...rows[index]! },
      verdict: why === undefined ? verdict : `${verdict}: ${why}`,
    })),
  );
});

/** Takes from requests what was put on them since. */
function keepPrototype(): () => void {
  const known = Reflect.ownKeys(IncomingMessage.prototype);
  return () => {
    for (const name of Reflect.ownKeys(IncomingMessage.prototype)) {
      if (!known.includes(name)) Reflect.deleteProperty(IncomingMessage.prototype, name);
    }
  };
}
