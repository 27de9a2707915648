/**
 * `npm run check:audit`: finds known vulnerabilities in the dependencies. If the registry does not answer, the check passes.
 */
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], {
  encoding: 'utf8',
  shell: process.platform === 'win32',
});
const report = parse(stdout);
if (report?.metadata?.vulnerabilities === undefined) {
  console.log(`NOT CHECKED: the registry could not be asked for advisories (${report?.message ?? 'no answer'}).`);
} else {
  const { total, ...levels } = report.metadata.vulnerabilities;
  const told = Object.entries(levels).filter(([, count]) => count > 0);
  for (const { name, severity, via } of Object.values(report.vulnerabilities)) {
    console.log(`${severity}: ${name}: ${via.map((each) => each.title ?? each).join('; ')}`);
  }
  console.log(total === 0 ? 'No known vulnerabilities.' : told.map(([level, count]) => `${count} ${level}`).join(', '));
  process.exitCode = total === 0 ? 0 : 1;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
