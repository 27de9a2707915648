import type { Diagnosis, Finding, FindingLevel } from '../doctor/findings';

interface Style {
  colors: boolean;
  /** Width of the screen, in characters. */
  columns: number;
}

const words: Readonly<Record<FindingLevel, string>> = {
  ok: 'ok',
  unknown: 'unknown',
  warning: 'warning',
  error: 'problem',
};
const colors: Readonly<Record<FindingLevel, number>> = { ok: 32, unknown: 36, warning: 33, error: 31 };

/** Formats a diagnosis for people: a line for each finding, and the fix below the line. */
export function formatDiagnosis({ findings }: Diagnosis, style: Style): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines: string[] = [];
  let host: string | undefined;
  for (const finding of findings) {
    if (finding.baseUrl !== undefined && finding.baseUrl !== host) {
      host = finding.baseUrl;
      lines.push('', host);
    } else if (finding.baseUrl === undefined && host !== undefined) {
      host = undefined;
      lines.push('', 'This application');
    }
    lines.push(...formatFinding(finding, width, style));
  }
  return [...lines, '', summary(findings)].join('\n');
}

function formatFinding({ check, level, message, fix, code }: Finding, width: number, style: Style): string[] {
  const indent = ' '.repeat(2 + 9 + width + 2);
  const room = Math.max(40, style.columns - indent.length);
  const word = words[level].padEnd(9);
  const shown = style.colors ? `\u001b[${colors[level]}m${word}\u001b[0m` : word;
  const text = [
    ...wrap(code === undefined ? message : `${message} (${code})`, room),
    ...(fix === undefined ? [] : wrap(`Fix: ${fix}`, room)),
  ];
  return text.map((line, index) => (index === 0 ? `  ${shown}${check.padEnd(width)}  ${line}` : indent + line));
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function summary(findings: readonly Finding[]): string {
  const count = (level: FindingLevel, one: string, many: string): string => {
    const number = findings.filter((finding) => finding.level === level).length;
    return `${number === 0 ? 'no' : number} ${number === 1 ? one : many}`;
  };
  const text = `${count('error', 'problem', 'problems')}, ${count('warning', 'warning', 'warnings')}.`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}
