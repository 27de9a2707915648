#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from './cli/main';
import { systemClock } from './clock';

/** The version of the package this file was published with. */
function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

// A command waits for answers that may never come. Its time limits can end the wait only while the process lives, and a
// process that ends without a result has failed.
process.exitCode = 1;
const release = systemClock.hold();

void main(process.argv.slice(2), readVersion)
  .finally(release)
  .then((exitCode) => {
    process.exitCode = exitCode;
    // Connections of a token store that the doctor looked at would keep the process alive.
    process.stdout.write('', () => process.exit());
  });
