import { startDeadline } from '../../lib/token/deadline';
import { ManualClock } from '../helpers/clock';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function start(isWritten: boolean) {
  const clock = new ManualClock();
  const abort = jest.fn();
  const cancel = startDeadline(clock, 30_000, { isWritten: () => isWritten, abort });
  return { clock, abort, cancel };
}

describe('the time limit of a request', () => {
  it.each([true, false])('ends the request when it is over (written: %s)', (isWritten) => {
    const { clock, abort } = start(isWritten);
    clock.advanceMs(29_999);
    expect(abort).not.toHaveBeenCalled();
    clock.advanceMs(1);
    expect(abort).toHaveBeenCalledTimes(1);
  });

  it('leaves a written request of a frozen process two turns to read its answer', async () => {
    const { clock, abort } = start(true);
    clock.wakeAfterMs(35_000);
    expect(abort).not.toHaveBeenCalled();
    await turn();
    expect(abort).not.toHaveBeenCalled();
    await turn();
    await turn();
    expect(abort).toHaveBeenCalledTimes(1);
  });

  it('knows a machine that slept by its wall clock', () => {
    const { clock, abort } = start(true);
    clock.jumpMs(8 * 3_600_000);
    clock.advanceMs(30_000);
    expect(abort).not.toHaveBeenCalled();
  });

  it('ends a request of a frozen process at once that was not written yet', () => {
    const { clock, abort } = start(false);
    clock.wakeAfterMs(35_000);
    expect(abort).toHaveBeenCalledTimes(1);
  });

  it('counts a timer that is a little late as one in time', () => {
    const { clock, abort } = start(true);
    clock.wakeAfterMs(31_000);
    expect(abort).toHaveBeenCalledTimes(1);
  });

  it('is over with its request', () => {
    const { clock, abort, cancel } = start(true);
    cancel();
    clock.wakeAfterMs(99_000);
    expect(abort).not.toHaveBeenCalled();
  });
});
