import { parse } from 'csv-parse/sync';

/** The rows of a CSV text, or undefined if the text is not CSV. The first row has the names of the columns. */
export function parseCsv(text: string): string[][] | undefined {
  try {
    return parse(text, { skip_empty_lines: true });
  } catch {
    return undefined;
  }
}

/** CSV with each value in quotes, as Bulk API 2.0 sends it. */
export function writeCsv(rows: readonly (readonly string[])[], lineEnding: 'LF' | 'CRLF'): string {
  const end = lineEnding === 'LF' ? '\n' : '\r\n';
  return rows.map((row) => row.map((value) => `"${value.replaceAll('"', '""')}"`).join(',') + end).join('');
}
