import { readdirSync, readFileSync } from 'node:fs';
import { scripts } from '../../lib/stores/redis/scripts';

const folder = 'lib/stores/redis/scripts';
const files = readdirSync(folder).filter((file) => file !== 'shared.lua');

describe('a Lua script', () => {
  it.each(files)('says what its keys, arguments and replies are: %s', (file) => {
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    const [head = ''] = /^(--.*\n)+/.exec(text) ?? [];
    const used = [...text.matchAll(/\bARGV\[(\d+)\]/g)].map(([, index]) => Number(index));

    expect(head).toMatch(/^-- \w.+\n--\n-- KEYS {3}1: /);
    expect(head).toMatch(/^-- Reply {2}\{'/m);
    expect(head).toMatch(used.length === 0 ? /^-- ARGV {3}none$/m : /^-- ARGV {3}1: /m);
    for (const index of used) expect(head).toContain(` ${index}: `);
    for (const [, outcome] of text.slice(head.length).matchAll(/(?:return \{|answer\()'(\w+)'/g)) {
      expect(head).toMatch(new RegExp(`\\b${outcome!}\\b`));
    }
  });

  it('is one operation each, and all of them are built in', () => {
    const texts = Object.values(scripts).map(({ text }) => text);

    expect(texts).toHaveLength(files.length);
    for (const file of files) {
      const own = readFileSync(`${folder}/${file}`, 'utf8');
      expect(texts.filter((text) => text.endsWith(own))).toHaveLength(1);
    }
  });
});
