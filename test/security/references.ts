import { fc } from './property';

/** Pieces from which open redirects are made, and ordinary ones between them. */
const pieces = [
  '/', '//', '\\', '/\\', '.', '..', '/./', '/../', '%2f', '%2F', '%5c', '%5C', '%252f', '%25252f', '%2e', '%252e', '%09', '%0a',
  '%0d%0a', '%00', '%2509', '%20', '\t', '\n', '\r', '\0', ' ', '\v', '\x7f', '\u00a0', '\u2028', '\u200b', '\ufeff', '\u3002', '\uff0e',
  '\uff0f', '\u2044', '\u2215', '\u29f5', '\ufe68', '\ud800', ':', '@', '?', '#', '?#', ';', '&', '=', '%', '%e3%80%82', '%c0%af',
  'http:', 'https:', 'https://', 'javascript:', 'data:text/html,', 'http:\\\\', 'evil.test', 'user:pass@evil.test', '127.0.0.1',
  '[::1]', 'accounts', 'a', '1', 'é', '漢', '\ud83d\ude00',
]; // prettier-ignore

/** Texts that may be taken for paths of the application, from those pieces and at random. */
export const reference: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `/${parts.join('')}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }).map((text) => `/${text}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.webUrl().map((url) => url.slice(url.indexOf(':') + 1)),
);
