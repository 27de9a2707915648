import { MemoryTokenStore } from '../../lib';
import { describeNotifications } from './two-processes';

describeNotifications('memory', () => {
  const store = new MemoryTokenStore();
  return [store, store];
});
