import { MemoryTokenStore } from '../../lib';
import { describeTokenStore } from '../../lib/stores/contract';
import { ManualClock } from '../helpers/clock';

describeTokenStore(
  'MemoryTokenStore',
  () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    return {
      store,
      elapse: (ms) => {
        clock.advanceMs(ms);
      },
      close: () => {
        store.close();
      },
    };
  },
  { isShared: false },
);
