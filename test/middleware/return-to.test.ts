import { safeReturnTo } from '../../lib/middleware/return-to';

describe('safeReturnTo()', () => {
  it.each(['/', '/accounts', '/accounts?page=2#top', '/a%20b', '/search?q=http://x.example'])('keeps %s', (path) => {
    expect(safeReturnTo(path)).toBe(path);
  });

  it('keeps what is as long as may be', () => {
    expect(safeReturnTo(`/${'x'.repeat(2047)}`)).toHaveLength(2048);
  });

  it('keeps escapes that stay what they are, however often they are decoded', () => {
    expect(safeReturnTo('/100%25')).toBe('/100%25');
    expect(safeReturnTo('/%25252525')).toBe('/%25252525');
    expect(safeReturnTo('/%e4%zz')).toBe('/%e4%zz');
  });

  it.each([
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/%2fevil.example',
    '/%2Fevil.example',
    '/%252fevil.example',
    '/%5cevil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    'javascript:alert(1)',
    'accounts',
    '',
    `/${'x'.repeat(3000)}`,
    `/${'x'.repeat(2048)}`,
    // Shorter once it is read: what is too long is not looked at.
    `/${'x/../'.repeat(500)}`,
    // Too long only once it is escaped.
    `/${'é'.repeat(1000)}`,
    // A dot that comes from an escape of an escape, and leaves two slashes behind.
    '/%252e//evil.example',
    '/a b',
    '/a\x00b',
    '/a\x1fb',
    '/a\x7fb',
    '/\x7f',
    '/%2525252525',
    '/%252525252525',
    'http://return-to.invalid/accounts',
    undefined,
    ['/accounts'],
    { toString: () => '/accounts' },
  ])('refuses %j', (path) => {
    expect(safeReturnTo(path)).toBeUndefined();
  });
});
