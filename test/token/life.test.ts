import { parseConfiguration } from '../../lib/options/configuration';
import { refreshTokenSet } from '../../lib/token/token-set';
import { tokensOf } from '../coordinator/support';

const configuration = parseConfiguration({ clientID: '3MVG9__fake__', callbackURL: 'http://localhost/callback' });
const tenYearsMs = 315_360_000_000;

/** A JWT with these claims, given as JSON: JSON can hold numbers that no number of JavaScript is. */
function jwtOf(claims: string): string {
  return ['{"alg":"none"}', claims, 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
}

describe('the life of an access token that is a JWT', () => {
  it.each([
    ['{"iat":1000,"exp":2800}', 1_800_000],
    ['{"iat":1000,"exp":"2800"}', 1_800_000],
    // Against `issued_at`.
    ['{"exp":2800}', 800_000],
    ['{"iat":1000,"exp":1e300}', tenYearsMs],
    ['{"iat":-1e300,"exp":2800}', tenYearsMs],
    ['{"iat":1000,"exp":9007199254740993}', tenYearsMs],
    ['{"iat":1000,"exp":1e400}', undefined],
    ['{"iat":-1e400,"exp":2800}', undefined],
    ['{"iat":1e400,"exp":1e400}', undefined],
    ['{"iat":1000,"exp":"NaN"}', undefined],
    ['{"iat":1000,"exp":"soon"}', undefined],
    ['{"iat":1000,"exp":{}}', undefined],
    ['{"iat":1000,"exp":-2800}', undefined],
    ['{"iat":1000,"exp":1000}', undefined],
    ['{"iat":1000}', undefined],
  ])('is at most ten years: %s', (claims, lifeMs) => {
    const reply = { access_token: jwtOf(claims), token_type: 'bearer', issued_at: '2000000' };

    const { tokens } = refreshTokenSet(tokensOf(), reply, configuration);

    expect(tokens.lifeMs).toBe(lifeMs);
  });
});
