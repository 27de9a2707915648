import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { configurationFromEnv, salesforceAuth } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { read, root } from './blocks';

/* docs/guide/salesforce-setup.md: its drawings, its words on the other pages, and the login at its end. */

const guide = read('docs/guide/salesforce-setup.md');
const drawings = [...guide.matchAll(/!\[(.*?)\]\(\.\.\/(images\/.*?\.svg)\)/g)].map(
  ({ 1: title = '', 2: file = '' }) => ({
    title,
    file: join('docs', file),
  }),
);

const setupPage = read('example/pages/setup.mjs');

/** Names of boxes and buttons, which both kinds of app have in Setup. */
const boxes = [
  'Require Secret for Web Server Flow',
  'Require Secret for Refresh Token Flow',
  'Enable Authorization Code and Credentials Flow',
  'Require Proof Key for Code Exchange (PKCE)',
  'Enable Refresh Token Rotation',
];

describe('the drawings of the guide', () => {
  it('are five, one for each screen', () => {
    expect(new Set(drawings.map(({ file }) => file)).size).toBe(5);
  });

  it.each(drawings)(
    '$file says that it is a drawing, and names nothing that the guide does not name',
    ({ title, file }) => {
      expect(existsSync(join(root, file))).toBe(true);
      const svg = read(file);
      const texts = [...svg.matchAll(/<text([^>]*)>([^<]*)<\/text>/g)].map(({ 1: attributes = '', 2: text = '' }) => ({
        kind: /class="([^"]*)"/.exec(attributes)?.[1] ?? 'label',
        text: text.replaceAll('&amp;', '&'),
      }));
      const labels = texts.filter(({ kind }) => /^(?:label|heading|on-button)$/.test(kind)).map(({ text }) => text);

      expect(title).toMatch(/^Drawing: /);
      expect(svg).toContain('<title id="title">Drawing of the layout: ');
      expect(texts.map(({ text }) => text)).toContain('drawing');
      expect(labels.length).toBeGreaterThan(0);
      const words = guide.replaceAll('**', '');
      expect(labels.filter((label) => !words.includes(label))).toEqual([]);
    },
  );
});

describe('the words of the guide', () => {
  it.each(boxes)('has %s for a new app and for an existing app, and so has the Setup page', (box) => {
    const row = guide.split('\n').find((line) => line.startsWith(`| ${box} |`));
    expect(row?.split('|').filter((cell) => cell.trim() !== '')).toHaveLength(3);
    expect(setupPage).toContain(box);
  });

  it('are those of the Setup page: each name in bold there is in the guide', () => {
    const bold = [...setupPage.matchAll(/<b>([^<$]+)<\/b>/g)].map(({ 1: name = '' }) =>
      name.replace(/\s+/g, ' ').trim(),
    );
    const words = guide.replaceAll('**', '').replaceAll('_', '').replace(/\s+/g, ' ');

    expect(bold.length).toBeGreaterThan(15);
    const names = bold.flatMap((name) => name.split(' › '));
    expect(names.filter((name) => !words.includes(name))).toEqual([]);
  });

  it('presents no report about new apps as a fact', () => {
    const grayed = guide.split('\n').filter((line) => /\b(?:gr[ae]yed|locked)\b/i.test(line));
    expect(grayed.length).toBeGreaterThan(3);
    expect(grayed.filter((line) => !/reported/.test(line))).toEqual([]);
  });
});

describe('the end of the guide', () => {
  it('is a login that works with only the .env of the guide', async () => {
    const emulator = await startTestEmulator();
    const shown = /<!-- the \.env of the guide -->\s+```sh\n([^]*?)```/.exec(guide)?.[1] ?? '';
    expect(shown).toContain('SALESFORCE_CLIENT_ID');

    const { browser, salesforce } = await startApp({
      emulator,
      create: ({ clientID, clientSecret }, callbackURL) => {
        const env = shown
          .replace('the Consumer Key', clientID)
          .replace('the Consumer Secret', clientSecret)
          .replace('https://example.my.salesforce.com', emulator.url)
          .replace('http://localhost:3000/auth/salesforce/callback', callbackURL);
        return salesforceAuth({ ...configurationFromEnv(parseEnv(env)), encryptionKeys: false });
      },
    });

    const { findings, ok } = await salesforce.diagnose();
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(ok).toBe(true);
    const tab = browser();
    await logIn(tab, emulator);
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});
