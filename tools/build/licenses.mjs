import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

/** Lists the bundled packages with their licenses. Every license requires that it is passed on. */
export function writeLicenses(packages) {
  const sections = packages.map((name) => {
    const folder = `node_modules/${name}`;
    const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
    const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.(md|txt))?$/i.test(entry));
    if (!license || file === undefined) throw new Error(`${name} is bundled, but has no license file.`);
    const text = readFileSync(`${folder}/${file}`, 'utf8').trim();
    return `## ${name} ${version} (${license})\n\n\`\`\`text\n${text}\n\`\`\`\n`;
  });
  writeFileSync(
    'THIRD-PARTY-LICENSES.md',
    `# Third-party licenses\n\nThe published files contain these packages. \`npm run build\` writes this list.\n\n${sections.join('\n')}`,
  );
}
