import { DataError, notFound } from './errors';

/** Parts of the REST API that Salesforce has and the emulator has not, by the path after the version. */
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

/** The error for a path that leads nowhere: it says whether Salesforce would have an answer. */
export function notEmulated(segments: readonly string[]): DataError {
  const path = segments.join('/').toLowerCase();
  const part = partsNotEmulated.find(
    (known) => path === known.toLowerCase() || path.startsWith(`${known.toLowerCase()}/`),
  );
  if (part === undefined) return notFound();
  return new DataError(
    404,
    'NOT_FOUND',
    `Salesforce has ${part}, and the emulator does not: see docs/guide/testing.md`,
  );
}
