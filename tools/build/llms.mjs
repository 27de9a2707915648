/** Writes llms.txt, an index of the documentation for language models (llmstxt.org), from the documents themselves. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export function writeLlms() {
  const { name, description } = JSON.parse(readFileSync('package.json', 'utf8'));
  const documents = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path.replaceAll('\\', '/')}`)
    .sort();
  const lines = ['README.md', ...documents, 'CHANGELOG.md'].map((path) => {
    const { title, sentence } = summaryOf(readFileSync(path, 'utf8'));
    return `- [${title}](${path})${sentence === '' ? '' : `: ${sentence}`}`;
  });
  writeFileSync('llms.txt', `# ${name}\n\n> ${description}.\n\n## Documentation\n\n${lines.join('\n')}\n`);
}

/** The title of a document, and the first sentence under the title. */
function summaryOf(markdown) {
  const [, title = '', rest = ''] = /^# (.+)\n([^]*)/m.exec(markdown) ?? [];
  const paragraph = rest
    .split(/\n\s*\n/)
    .map((block) => block.trim().replaceAll('\n', ' '))
    .find((block) => /^[A-Z`"(*_[]/.test(block));
  const text = (paragraph ?? '').replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1');
  return { title, sentence: /^.*?[.:?!](?=\s|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text };
}
