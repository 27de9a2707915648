import { Browsers } from '../../lib/emulator/state/browsers';

/** More than an emulator remembers. */
const many = 10_001;

it('forgets the oldest browsers and logins, so that a monitor that begins logins does not fill the memory', () => {
  const browsers = new Browsers();
  const made = Array.from({ length: many }, () => browsers.create().id);
  const begun = Array.from({ length: many }, () => browsers.start({} as never).source);
  const keys = Array.from({ length: many }, () => browsers.issueOneTimePassword({} as never));

  expect([made[0], made[1]].map((id) => browsers.find(id) !== undefined)).toEqual([false, true]);
  expect([begun[0], begun[1]].map((source) => browsers.transaction(source!) !== undefined)).toEqual([false, true]);
  expect([keys[0], keys[1]].map((key) => browsers.takeOneTimePassword(key!) !== undefined)).toEqual([false, true]);
});
