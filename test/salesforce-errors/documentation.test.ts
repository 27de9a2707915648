import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { meanings } from '../../lib/salesforce-errors/meanings';
import { salesforceErrors } from '../../lib/salesforce-errors/table';
import { loginUnknown, userMessages } from '../../lib/salesforce-errors/user-messages';

/*
 * docs/reference/errors.md says what the catalogue says. UPDATE_ERROR_DOCS=1 writes it anew:
 * - the table between the two catalogue comments;
 * - the last line under each code's heading, on what the user reads.
 */

const path = join(__dirname, '../../docs/reference/errors.md');
const [start, end] = ['<!-- catalogue -->', '<!-- end of catalogue -->'];

function table(): string {
  const rows = salesforceErrors.map(({ error, text, at, meaning, confidence }) => {
    const code = meaning === 'ignored' ? undefined : meanings[meaning].code;
    const ours = code === undefined ? 'none: counts as revoked' : `[\`${code}\`](#${code.toLowerCase()})`;
    const status = meaning === 'ignored' ? '' : String(meanings[meaning].status);
    return [`\`${error}\``, text ?? '', at.join(', '), ours, status, confidence];
  });
  return [
    ['Salesforce', 'Its text', 'Where', 'Ours', 'Status', 'Known from'],
    ['---', '---', '---', '---', '---', '---'],
    ...rows,
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function userLine(code: keyof typeof userMessages): string {
  const { title, userMessage, isTransient } = userMessages[code];
  return `_The user reads:_ **${title}.** ${userMessage} _(${isTransient ? 'transient' : 'permanent'}; since 0.1.0)_`;
}

function rewritten(text: string): string {
  const withTable = text.replace(new RegExp(`${start}[^]*${end}`), () => `${start}\n\n${table()}\n\n${end}`);
  return withTable.replace(
    /^### (ERR_\w+)\n([^]*?)(?=\n##|$(?![^]))/gm,
    (_section, code: keyof typeof userMessages, body: string) => {
      const own = body.replace(/\n_The user reads:_.*\n/, '').trim();
      return `### ${code}\n\n${own}\n\n${userLine(code)}\n`;
    },
  );
}

/** The text under a code's heading. */
function section(code: string): string {
  return new RegExp(`^### ${code}\\n([^]*?)(?=\\n##|$(?![^]))`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? '';
}

it('docs/reference/errors.md has the table of errors and the sentences for users', () => {
  const text = readFileSync(path, 'utf8');
  if (process.env['UPDATE_ERROR_DOCS'] === '1') writeFileSync(path, rewritten(text));

  expect(readFileSync(path, 'utf8')).toBe(rewritten(text));
});

it.each([...new Set(Object.values(meanings).map(({ code, status }) => `${code} ${status}`))])(
  'docs/reference/errors.md gives the status of %s',
  (pair) => {
    const [code, status] = pair.split(' ');

    expect(section(code!).replace(/\s+/g, ' ')).toMatch(new RegExp(`Status ${status}\\b`));
  },
);

it('docs/reference/errors.md has the sentence of a login or logout that may have happened', () => {
  expect(section('ERR_SALESFORCE_SESSION_STORE').replace(/\s+/g, ' ')).toContain(`"${loginUnknown.userMessage}"`);
});

it('each code has one status only, and 503 if it is transient', () => {
  const statuses = new Map<string, Set<number>>();
  for (const { code, status } of Object.values(meanings)) {
    statuses.set(code, (statuses.get(code) ?? new Set()).add(status));
    expect({ code, isTransient: userMessages[code].isTransient }).toEqual({ code, isTransient: status === 503 });
  }

  expect([...statuses].filter(([, all]) => all.size > 1)).toEqual([]);
});

it('each meaning is used by an entry', () => {
  const used = new Set(salesforceErrors.map(({ meaning }) => meaning));

  expect(Object.keys(meanings).filter((name) => !used.has(name as never))).toEqual(['api']);
});
