/** `npm run test:setup` installs the programs for tests that npm does not provide. */
import { adviceOn, findProgram, installPrograms, programs } from '../servers/programs.mjs';

const missing = installPrograms(Object.keys(programs));
for (const name of Object.keys(programs)) {
  console.log(missing.includes(name) ? `${name} is missing. ${adviceOn(name)}` : `${name}: ${findProgram(name)}`);
}
process.exitCode = missing.length > 0 ? 1 : 0;
