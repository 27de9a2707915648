import { isOrganizationId, isUserId, toId18 } from '../../lib/salesforce/ids';

describe('toId18()', () => {
  // Each of the last three characters says which of five others are capitals, the first of them in the lowest bit.
  it.each([
    ['00D000000000062', '00D000000000062EAA'],
    ['001A0000006Vm9r', '001A0000006Vm9rIAC'],
    ['00DFAKE00000001', '00DFAKE000000012DA'],
    ['005zzzzzzzzzzzz', '005zzzzzzzzzzzzAAA'],
    ['ABCDEFGHIJKLMNO', 'ABCDEFGHIJKLMNO555'],
    ['AzZaaAzZaaAzZaa', 'AzZaaAzZaaAzZaaFFF'],
  ])('of %s is %s', (short, long) => {
    expect(toId18(short)).toBe(long);
  });

  it.each(['', '00D', '00D000000000062EAA', '00D00000000006200D0'])('leaves %j as it is', (id) => {
    expect(toId18(id)).toBe(id);
  });
});

describe.each([
  ['isOrganizationId()', isOrganizationId, '00D'],
  ['isUserId()', isUserId, '005'],
] as const)('%s', (_name, isId, prefix) => {
  it.each([12, 15])('accepts its prefix and %d letters and digits', (length) => {
    expect(isId(prefix + 'aZ9'.repeat(length / 3))).toBe(true);
  });

  it.each([
    ['another prefix', '003000000000001'],
    ['something before it', `x${prefix}000000000001`],
    ['something after it', `${prefix}000000000001EAAx`],
    ['a length in between', `${prefix}00000000000100`],
    ['one character', `${prefix}0`],
    ['nothing behind the prefix', prefix],
    ['signs', `${prefix}00000000000/`],
    ['signs in the long form', `${prefix}00000000000/EAA`],
    ['nothing but signs', `${prefix}------------`],
    ['nothing', ''],
  ])('refuses %s', (_what, id) => {
    expect(isId(id)).toBe(false);
  });
});
