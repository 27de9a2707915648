import { diagnose, type Finding } from '../../lib';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import type { ManualClock } from '../helpers/clock';
import { makeKey, type TestKey } from '../client-authentication/keys';

const [first, second, third] = [makeKey(), makeKey(), makeKey()];

/** What the doctor says of the keys, at an app that has the certificate of the first. */
async function findings(clientKey: unknown, clock?: ManualClock): Promise<Finding[]> {
  const emulator = await startTestEmulator();
  const { clientID } = emulator.registerClient({
    callbackURLs: [defaultCallbackURL],
    clientSecret: false,
    certificate: first.certificate,
    policy: { requireSecretForWebServerFlow: true },
  });
  const options = { clientID, clientKey, callbackURL: defaultCallbackURL, baseUrl: emulator.url, clock };
  const { findings: all } = await diagnose(options as never);
  return all.filter(({ check }) => /^client-(key|certificate|secret)$/.test(check));
}

const short = ({ check, level, message }: Finding): string => `${check} ${level}: ${message}`;
const keyOf = ({ key, certificate }: TestKey): object => ({ key, certificate });

it('says that Salesforce accepts the key, and when its certificate ends', async () => {
  expect((await findings(keyOf(first))).map(short)).toEqual([
    'client-key ok: Salesforce accepts the client key.',
    expect.stringMatching(
      /^client-certificate ok: .* belongs to the client key, and ends on \d{4}-\d\d-\d\d, in 364 days\.$/,
    ),
  ]);
});

it('says that Salesforce refuses the key', async () => {
  const [key] = await findings({ key: second.key });

  expect(key).toMatchObject({ check: 'client-key', level: 'error', code: 'ERR_SALESFORCE_CLIENT_REJECTED' });
});

it('says which of two keys is refused', async () => {
  const both = (list: TestKey[]): Promise<Finding[]> => findings(list.map(({ key }) => ({ key })));
  const levels = (all: Finding[]): string[] => all.slice(0, 2).map(short);

  expect(levels(await both([first, second]))).toEqual([
    'client-key ok: Salesforce accepts client key 1 of 2.',
    'client-key warning: Salesforce refuses client key 2 of 2.',
  ]);
  expect(levels(await both([second, first]))).toEqual([
    'client-key warning: Salesforce refuses client key 1 of 2.',
    'client-key ok: Salesforce accepts client key 2 of 2.',
  ]);
  expect(levels(await both([second, third]))).toEqual([
    'client-key error: Salesforce refuses client key 1 of 2.',
    'client-key error: Salesforce refuses client key 2 of 2.',
  ]);
});

it.each([
  ['the certificate of another key', { key: first.key, certificate: second.certificate }, 'error', 'does not belong'],
  ['no certificate', { key: first.key }, 'unknown', 'is not known'],
  ['a certificate that ends soon', keyOf(makeKey(10)), 'warning', 'in 9 days'],
  ['a certificate that has ended', keyOf(makeKey(-1)), 'warning', 'ended on'],
])('says what is wrong with %s', async (_, key, level, part) => {
  const certificate = (await findings(key)).find(({ check }) => check === 'client-certificate');

  expect(certificate).toMatchObject({ level, message: expect.stringContaining(part) });
});

it('says nothing about keys for a client with a secret', async () => {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret } = emulator.clients[0]!;
  const { findings: all } = await diagnose({ clientID, clientSecret, baseUrl: emulator.url });

  expect(all.filter(({ check }) => /^client-(key|certificate)$/.test(check))).toEqual([]);
});
