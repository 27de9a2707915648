import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Tests as docs/internals/threat-model.md names them: file and title of a `describe`. */
const named = [...read('docs/internals/threat-model.md').matchAll(/^- `(test\/\S+\.test\.ts)`: (.+)$/gm)].map(
  ([, file, title]) => ({ file: file!, title: title! }),
);

/** Titles of the outermost `describe`s of a file. */
function titlesOf(file: string): string[] {
  return [...read(file).matchAll(/^describe\S*?\(\s*(['"`])(.*?)\1,/gm)].map(([, , title]) => title!);
}

describe('docs/internals/threat-model.md', () => {
  it('names tests that exist', () => {
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter(({ file, title }) => !existsSync(join(root, file)) || !titlesOf(file).includes(title))).toEqual(
      [],
    );
  });

  it('names every test in test/security', () => {
    const all = readdirSync(__dirname)
      .filter((name) => name.endsWith('.test.ts') && name !== 'threat-model.test.ts')
      .flatMap((name) => titlesOf(`test/security/${name}`).map((title) => ({ file: `test/security/${name}`, title })));

    expect(all.length).toBeGreaterThan(10);
    expect(all.filter(({ file, title }) => !named.some((test) => test.file === file && test.title === title))).toEqual(
      [],
    );
  });

  it('has a test or names what is not covered, for each threat', () => {
    const threats = read('docs/internals/threat-model.md').split(/^### /m).slice(1);

    expect(threats.filter((threat) => !/^- `test\//m.test(threat))).toEqual([]);
  });
});
