/**
 * `npm run check:api`: compares what each entry exports with etc/api/, so that a change of the public surface is seen in
 * review. `npm run check:api -- --write` writes the reports anew.
 */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { readEntries } from './build/entries.mjs';

const writes = process.argv.includes('--write');
const silent = { default: { logLevel: 'none' } };
mkdirSync('etc/api', { recursive: true });

for (const { name } of readEntries().filter(({ isProgram }) => !isProgram)) {
  const report = `${name.replace('/', '-')}.api.md`;
  const config = ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: resolve('package.json'),
    configObject: {
      projectFolder: resolve('.'),
      mainEntryPointFilePath: resolve(`dist/types/${name}.d.ts`),
      compiler: { tsconfigFilePath: resolve('tsconfig.build.json') },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: resolve('etc/api'),
        reportTempFolder: resolve('coverage/api-report'),
      },
      newlineKind: 'lf',
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      // TypeDoc checks comments, and the compiler checks types.
      messages: {
        compilerMessageReporting: silent,
        extractorMessageReporting: {
          ...silent,
          'ae-forgotten-export': { logLevel: 'none' },
          'ae-undocumented': { logLevel: 'none' },
        },
        tsdocMessageReporting: silent,
      },
    },
  });
  const { apiReportChanged } = Extractor.invoke(config, { localBuild: writes, messageCallback: beQuiet });
  if (!apiReportChanged) continue;
  if (writes) {
    console.log(`Written: etc/api/${report}`);
    continue;
  }
  console.error(
    `etc/api/${report} is not what ${name} exports. If the change is meant: npm run check:api -- --write, and commit it.`,
  );
  process.exitCode = 1;
}

function beQuiet(message) {
  if (message.logLevel !== 'error') message.handled = true;
}
