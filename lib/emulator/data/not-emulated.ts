import { DataError, notFound } from './errors';

/** Parts of the REST API that Salesforce has and the emulator lacks, by the path after the version. */
export const partsNotEmulated: readonly string[] = [
  'actions',
  'analytics',
  'appMenu',
  'apexrest',
  'async-queries',
  'commerce',
  'compactLayouts',
  'composite/graph',
  'composite/tree',
  'connect',
  'consent',
  'eclair',
  'event',
  'flexipages',
  'knowledgeManagement',
  'metadata',
  'parameterizedSearch',
  'process',
  'queryAll',
  'quickActions',
  'recent',
  'scheduling',
  'search',
  'smartdatadiscovery',
  'support',
  'tabs',
  'theme',
  'tooling',
  'ui-api',
  'wave',
];

/** The error for an unknown path. The error says whether Salesforce has this part. */
export function notEmulated(segments: readonly string[]): DataError {
  const path = segments.join('/').toLowerCase();
  const part = partsNotEmulated.find(
    (known) => path === known.toLowerCase() || path.startsWith(`${known.toLowerCase()}/`),
  );
  if (part === undefined) return notFound();
  return new DataError(
    404,
    'NOT_FOUND',
    `Salesforce has ${part}, but the emulator does not: see docs/guide/testing.md`,
  );
}
