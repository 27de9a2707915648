import { startTestEmulator } from '../helpers/emulator';

describe('emulator.clock', () => {
  it.each([NaN, Infinity, -Infinity, undefined, null, '60', '', {}, [60], () => 60, 1e15, -1e15])(
    'refuses to move by %p, and stays as it is',
    async (seconds) => {
      const { clock } = await startTestEmulator();
      clock.freeze();
      const before = clock.now();

      expect(() => clock.advanceSeconds(seconds as never)).toThrow('seconds must be a finite number');
      expect(clock.now()).toBe(before);
      clock.unfreeze();
      expect(clock.now()).toBeGreaterThanOrEqual(before);
    },
  );

  it('moves forward and back, while it runs and while it stands', async () => {
    const { clock } = await startTestEmulator();
    const before = clock.now();

    clock.advanceSeconds(60);
    expect(clock.now()).toBeGreaterThanOrEqual(before + 60_000);
    clock.freeze();
    const frozen = clock.now();
    for (const seconds of [-60, 0, 0.5]) clock.advanceSeconds(seconds);

    expect(clock.now()).toBe(frozen - 59_500);
  });
});
