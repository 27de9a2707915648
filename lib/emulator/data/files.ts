import { createId } from '../org/ids';
import type { DataRecord } from './record';

/** Larger than a buffer of a stream, so that a download comes in pieces. */
const articles = 50_000;

let content: Buffer | undefined;

/** The one file there is, the same in each organization: a price list, a little more than a megabyte of CSV. */
export function fileContent(): Buffer {
  content ??= Buffer.from(
    `Article,Name,Price\n${Array.from({ length: articles }, (_, index) => {
      const number = String(index + 1).padStart(5, '0');
      return `A-${number},Article ${number},${((index * 37) % 9_973) / 100}\n`;
    }).join('')}`,
  );
  return content;
}

/** Its record in the organization of this number. */
export function fileRecord(number: number): DataRecord {
  return {
    Id: createId('068', number),
    Title: 'Price list',
    PathOnClient: 'price-list.csv',
    FileExtension: 'csv',
    ContentSize: fileContent().length,
    // Where it is to be found, for which the version of the API is needed; see `fieldsAsSent`.
    VersionData: null,
  };
}
