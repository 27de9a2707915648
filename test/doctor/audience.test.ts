import { diagnose } from '../../lib';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';

it.each<[what: string, options: object, isWarned: boolean]>([
  ['an organization picker', { routes: { choose: '/choose' } }, true],
  ['any My Domain', { login: { anyMyDomain: true } }, true],
  ['one host', {}, false],
  [
    'a picker and named organizations',
    { routes: { choose: '/choose' }, allowedOrganizations: ['00D000000000001'] },
    false,
  ],
  ['a picker, on purpose', { routes: { choose: '/choose' }, allowedOrganizations: 'any' }, false],
  ['a picker and a decision of its own', { routes: { choose: '/choose' }, authorizeUser: () => true }, false],
])('the doctor says whether users of any organization may log in: %s', async (_what, options, isWarned) => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [defaultCallbackURL] });

  const { findings } = await diagnose({
    ...{ clientID, clientSecret, callbackURL: defaultCallbackURL, baseUrl: emulator.url, report: false },
    ...options,
  });

  const found = findings.filter(({ check }) => check === 'audience');
  expect(found.map(({ level }) => level)).toEqual(isWarned ? ['warning'] : []);
});
