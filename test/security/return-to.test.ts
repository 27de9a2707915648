/** @again properties */
import { safeReturnTo } from '../../lib/middleware/return-to';
import { fc, propertyRuns } from './property';
import { reference } from './references';

const origin = 'https://app.example';

/** What a reference can become on its way to a browser: as it is, or with its path decoded once or more. */
function readings(reference: string): string[] {
  const path = /^[^?#]*/.exec(reference)![0];
  const all = [path];
  for (let round = 0; round < 4; round++) {
    const last = all.at(-1)!;
    all.push(last.replace(/%[0-7][0-9a-f]/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16))));
  }
  return all.map((reading) => reading + reference.slice(path.length));
}

describe('returnTo', () => {
  it('leads to the same origin, in a browser and after any number of decodings by a proxy', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        const bases = [origin, `${origin}/auth/salesforce/callback?code=x`];
        return (
          kept === undefined ||
          readings(kept).every((reading) => bases.every((base) => new URL(reading, base).origin === origin))
        );
      }),
      propertyRuns(6_000),
    );
  });

  it('fits a Location header: short printable ASCII that begins with one slash', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        return kept === undefined || /^\/(?![/\\])[\x21-\x7e]{0,2047}$/.test(kept);
      }),
      propertyRuns(6_000),
    );
  });

  it('does not change when it is checked again', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        return kept === undefined || safeReturnTo(kept) === kept;
      }),
      propertyRuns(5_000),
    );
  });

  it('keeps paths, queries and fragments', () => {
    const segment = fc.string({
      unit: fc.constantFrom(...Array.from('abcXYZ019-_~é漢 ')),
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.string({ maxLength: 20 }),
        (segments, query) => {
          const path = `/${segments.map(encodeURIComponent).join('/')}?q=${encodeURIComponent(query)}#top`;
          const kept = safeReturnTo(path);
          return kept !== undefined && decodeURI(kept) === decodeURI(path);
        },
      ),
      propertyRuns(2_000),
    );
  });

  it.each(['/é'.repeat(1024), `/${'"'.repeat(2000)}`])('has a limited length with all escapes (%#)', (path) => {
    expect(path.length).toBeLessThanOrEqual(2048);
    expect(safeReturnTo(path)).toBeUndefined();
  });

  it.each(['/%09/evil.test', '/%0a/evil.test', '/%2509/evil.test', '/%2e%2f/evil.test', '/%2525252525252fevil.test'])(
    'is refused where a proxy that decodes it would make another host of it: %s',
    (path) => {
      expect(safeReturnTo(path)).toBeUndefined();
    },
  );
});
