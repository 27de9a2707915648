#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { main } from './cli/main';

/** The version of the package this file was published with. */
function readVersion(): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, '..', 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

void main(process.argv.slice(2), readVersion).then((exitCode) => {
  process.exitCode = exitCode;
  // Connections of a token store that the doctor looked at would keep the process alive.
  process.stdout.write('', () => process.exit());
});
