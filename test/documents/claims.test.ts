import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const document = read('docs/internals/claims.md');

/** The title of a test, which ends before a link to results. */
const named = [...document.matchAll(/^- `(test\/\S+)`: (.+)$/gm)].map(([, file, text]) => ({
  file: file!,
  title: text!,
  isResult: text!.includes('results in ['),
}));

describe('docs/internals/claims.md', () => {
  it('quotes the README as it is', () => {
    // Quotations are without links, which lead elsewhere from here.
    const readme = read('README.md')
      .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
      .replace(/\s+/g, ' ');
    const quotes = [...document.matchAll(/^> (.+)$/gm)].map(([, quote]) => quote!);

    expect(quotes.length).toBeGreaterThan(25);
    expect(quotes.filter((quote) => !readme.includes(quote))).toEqual([]);
  });

  it('names a test for each quotation', () => {
    const parts = document.split(/^> /m).slice(1);

    expect(parts.filter((part) => !/^- `test\//m.test(part))).toEqual([]);
  });

  it('names tests that exist', () => {
    const isThere = ({ file, title, isResult }: (typeof named)[number]): boolean =>
      existsSync(join(root, file)) && (isResult || read(file).includes(title));

    expect(named.filter((test) => !isThere(test))).toEqual([]);
  });

  it('quotes every section of the README that promises something', () => {
    const sections = ['What you get', 'Guards and tokens', 'Stores', 'Errors', 'Security', 'Versions'];

    expect(sections.filter((title) => !document.includes(`\n## ${title}\n`))).toEqual([]);
    expect(sections.filter((title) => !read('README.md').includes(`\n## ${title}\n`))).toEqual([]);
  });
});
