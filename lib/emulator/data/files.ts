import { createId } from '../org/ids';
import type { DataRecord } from './record';

/** Number of rows. The file is larger than the buffer of a stream, so that a download arrives in several chunks. */
const articles = 50_000;

let content: Buffer | undefined;

/** The only file. Each organization has the same one: a price list, a little more than a megabyte of CSV. */
export function fileContent(): Buffer {
  content ??= Buffer.from(
    `Article,Name,Price\n${Array.from({ length: articles }, (_, index) => {
      const number = String(index + 1).padStart(5, '0');
      return `A-${number},Article ${number},${((index * 37) % 9_973) / 100}\n`;
    }).join('')}`,
  );
  return content;
}

/** The record of the file in the organization of this number. */
export function fileRecord(number: number): DataRecord {
  return {
    Id: createId('068', number),
    Title: 'Price list',
    PathOnClient: 'price-list.csv',
    FileExtension: 'csv',
    ContentSize: fileContent().length,
    // `recordAsSent` puts the address of the content here, because the address has the version of the API.
    VersionData: null,
  };
}
