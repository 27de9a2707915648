import { readdirSync, readFileSync } from 'node:fs';
import { newestApiVersion } from '../../lib/salesforce/api-version';

/** Everything people copy from. */
const files = ['README.md', 'docs', 'example', 'lib']
  .flatMap((path) =>
    path.includes('.')
      ? [path]
      : readdirSync(path, { recursive: true, encoding: 'utf8' }).map((name) => `${path}/${name}`),
  )
  .filter((path) => /\.(?:md|mjs|ts)$/.test(path));

describe('the version of the REST API', () => {
  it('is the same in documentation, example and code', () => {
    const others = files.flatMap((path) =>
      [...readFileSync(path, 'utf8').matchAll(/\/services\/data\/v(\d\d\.0)/g)]
        .filter(([, version]) => version !== newestApiVersion)
        .map(([text]) => `${path}: ${text}`),
    );

    expect(files.length).toBeGreaterThan(100);
    expect(others).toEqual([]);
  });
});
