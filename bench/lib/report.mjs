/** Results as tables and plots: printed, and written into the documentation between markers. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fromRoot } from './paths.mjs';

/** A Markdown table; the first row is the head. */
export function table([head, ...rows]) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

/** Median with range and, in brackets, the confidence interval of the median. */
export function range({ median, min, max, low, high }, digits = 1) {
  const text = (value) => value.toFixed(digits);
  return `${text(median)} (${text(min)} – ${text(max)}) [${text(low)}, ${text(high)}]`;
}

export function bytes(count) {
  return count >= 1e6 ? `${(count / 1e6).toFixed(1)} MB` : `${Math.round(count / 1e3)} kB`;
}

const documents = ['docs/internals/performance.md', 'docs/internals/scaling.md'];

/** Replaces what stands between `<!-- bench:name -->` and `<!-- /bench:name -->`. */
export function writeSections(sections) {
  for (const document of documents) {
    const path = fromRoot(document);
    let text = readFileSync(path, 'utf8');
    for (const [name, content] of Object.entries(sections)) {
      const marker = new RegExp(`(<!-- bench:${name} -->\n)[^]*?(<!-- /bench:${name} -->)`);
      text = text.replace(marker, (_all, begin, end) => `${begin}\n${content}\n\n${end}`);
    }
    writeFileSync(path, text);
  }
}

export function writePlots(plots) {
  for (const [name, content] of Object.entries(plots))
    writeFileSync(fromRoot(`docs/internals/performance/${name}.svg`), content);
}
