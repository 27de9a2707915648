/**
 * Builds dist/, THIRD-PARTY-LICENSES.md and llms.txt. What there is to build is read from `exports` and `bin` of
 * package.json.
 */
import { rmSync } from 'node:fs';
import { bundle } from './build/bundle.mjs';
import { writeDeclarations } from './build/declarations.mjs';
import { readEntries } from './build/entries.mjs';
import { writeLicenses } from './build/licenses.mjs';
import { writeLlms } from './build/llms.mjs';
import { writeWrappers } from './build/wrappers.mjs';

const removeOutput = () => rmSync('dist', { recursive: true, force: true });

removeOutput();
try {
  const entries = readEntries();
  const bundled = await bundle(entries);
  writeLicenses(bundled);
  await writeWrappers(entries);
  await writeDeclarations(entries);
  writeLlms();
  console.log(`Built ${entries.map(({ name }) => name).join(', ')}; bundled ${bundled.join(', ')}.`);
} catch (error) {
  // The next `npm test` would take an incomplete output for a complete one.
  removeOutput();
  console.error(error.message);
  process.exitCode = 1;
}
