import type { GrantWrite } from '../../lib/stores';

/** What a login writes, and the first operations on what it wrote. */
export const login: GrantWrite = {
  expected: null,
  generation: 'first',
  writer: 'login',
  payload: 'tokens',
  labels: { organizationId: '00D', userId: '005', clientID: '3MVG9' },
  holder: 'session',
  holderMs: 60_000,
  softMs: null,
  hardMs: null,
};
export const claim = { generation: 'first', version: 1, owner: 'owner', leaseMs: 60_000 };
export const logOut = {
  generation: 'first',
  version: null,
  holder: 'session',
  everywhere: true,
  tombstoneMs: 60_000,
};
