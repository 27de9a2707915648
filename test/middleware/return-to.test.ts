import { safeReturnTo } from '../../lib/middleware/return-to';

describe('safeReturnTo()', () => {
  it.each(['/', '/accounts', '/accounts?page=2#top', '/a%20b', '/search?q=http://x.example'])('keeps %s', (path) => {
    expect(safeReturnTo(path)).toBe(path);
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
    undefined,
    ['/accounts'],
    { toString: () => '/accounts' },
  ])('refuses %j', (path) => {
    expect(safeReturnTo(path)).toBeUndefined();
  });
});
