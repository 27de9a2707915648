import { memory, play } from './play';
import type { Schedule, Step } from './steps';

const usual: Schedule['setting'] = {
  processes: 2,
  isPublic: false,
  rotates: true,
  isCertain: false,
  onLostAnswer: 'wait',
};

/** What random schedules have found, in the shortest form that showed it. */
const found: Record<string, Schedule> = {
  'a clock that jumps while a login with fewer scopes waits for the store': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'revoke', thenMs: 0 },
      { do: 'login', thenMs: 0, process: 0, scope: 'api refresh_token' },
      { do: 'provider fault', thenMs: 1, fault: 'refused' },
      { do: 'resume unnoticed', thenMs: 11, process: 0 },
      { do: 'jump monotonic clock', thenMs: 0, process: 0, byMs: 20_000 },
    ],
  },
  'two logins at one moment that can do less than the login before them': {
    setting: usual,
    random: 0,
    steps: Array<Step>(2).fill({ do: 'login', thenMs: 0, process: 0, scope: 'api refresh_token' }),
  },
  'a login whose write the client of the store sends twice, and another login in between': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'store fault', thenMs: 0, fault: 'twice', times: 3 },
      ...Array<Step>(2).fill({ do: 'login', thenMs: 0, process: 0, scope: 'id api refresh_token' }),
      { do: 'elapse', thenMs: 16_000 },
    ],
  },
  'spare tokens that the client of the store sends twice, and a logout everywhere in between': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'store fault', thenMs: 0, fault: 'twice', times: 3 },
      { do: 'login', thenMs: 0, process: 0, scope: 'api refresh_token' },
      { do: 'resume', thenMs: 60, process: 0 },
      { do: 'logout everywhere', thenMs: 0, process: 0, session: 0 },
      { do: 'elapse', thenMs: 6_500_000 },
    ],
  },
  'a monotonic clock that jumps while a public client waits for a slow answer': {
    setting: { processes: 2, isPublic: true, rotates: false, isCertain: false, onLostAnswer: 'wait' },
    random: 0,
    steps: [
      { do: 'provider fault', thenMs: 0, fault: 'slow-after' },
      { do: 'elapse', thenMs: 7_300_000 },
      { do: 'request', thenMs: 0, process: 1, session: 0 },
      { do: 'request', thenMs: 400, process: 0, session: 0 },
      { do: 'jump monotonic clock', thenMs: 0, process: 1, byMs: 3_600_000 },
    ],
  },
  'a refresh whose store answers late, and two logins in between': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'reject', thenMs: 0 },
      { do: 'request', thenMs: 16, process: 0, session: 0 },
      { do: 'store fault', thenMs: 0, fault: 'frozen', times: 1 },
      { do: 'elapse', thenMs: 100 },
      ...Array<Step>(2).fill({ do: 'login', thenMs: 0, process: 0, scope: 'id api refresh_token' }),
    ],
  },
  'a read from before a logout and a new login, which a request of the new login shares': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'pause', thenMs: 0, process: 1 },
      { do: 'logout everywhere', thenMs: 0, process: 0, session: 0 },
      { do: 'login', thenMs: 0, process: 0, scope: 'id api refresh_token' },
      { do: 'request', thenMs: 0, process: 1, session: 0 },
      { do: 'elapse', thenMs: 100 },
      { do: 'request', thenMs: 0, process: 1, session: 0 },
    ],
  },
  'a logout from before a login, whose answer the store loses': {
    setting: usual,
    random: 0,
    steps: [
      { do: 'pause', thenMs: 0, process: 1 },
      { do: 'logout everywhere', thenMs: 0, process: 1, session: 0 },
      { do: 'login', thenMs: 0, process: 0, scope: 'id api refresh_token' },
      { do: 'elapse', thenMs: 100 },
      { do: 'store fault', thenMs: 0, fault: 'lost', times: 1 },
      { do: 'resume unnoticed', thenMs: 0, process: 1 },
    ],
  },
  'a login with fewer scopes, and another process that stores a login five minutes late while the store fails': {
    setting: { ...usual, hasOwnInstance: true },
    random: 0,
    steps: [
      { do: 'login', thenMs: 0, process: 3, scope: 'api refresh_token' },
      { do: 'provider fault', thenMs: 16, fault: 'refused' },
      { do: 'pause before', thenMs: 0, process: 3, operation: 'put' },
      { do: 'login', thenMs: 0, process: 3, scope: 'id api refresh_token' },
      { do: 'elapse', thenMs: 310_000 },
      { do: 'resume', thenMs: 16, process: 1 },
      { do: 'store fault', thenMs: 0, fault: 'error', times: 1 },
      { do: 'elapse', thenMs: 100 },
    ],
  },
  'a logout that meets the tombstone of another one, while the store loses both answers': {
    setting: { ...usual, hasOwnInstance: true },
    random: 0,
    steps: [
      { do: 'store fault', thenMs: 0, fault: 'twice', times: 1 },
      { do: 'logout', thenMs: 0, process: 1, session: 0 },
      { do: 'logout everywhere', thenMs: 0, process: 1, session: 0 },
      { do: 'store fault', thenMs: 0, fault: 'lost', times: 2 },
      { do: 'elapse', thenMs: 470_000 },
    ],
  },
};

describe('schedules that once broke a promise', () => {
  it.each(Object.entries(found))('%s', async (_what, schedule) => {
    expect((await play(schedule, memory())).violations).toEqual([]);
  });
});
