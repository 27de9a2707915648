import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dist } from '../helpers/built';
import { freePort } from '../stores/servers/programs';
import { describeInBrowser, root, useBrowser } from './support';

jest.setTimeout(240_000);

const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The first block of a language after a text of the README. */
function blockAfter(text: string, language: string): string {
  const block = new RegExp('```' + language + '\n([^]*?)```').exec(readme.slice(readme.indexOf(text)));
  return block?.[1] ?? '';
}

describeInBrowser('the quick start of the README, in an empty folder', () => {
  const browser = useBrowser();
  const children: ChildProcess[] = [];
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'readme-'));
    // What `npm install` would put there; test:package installs it for real.
    mkdirSync(join(folder, 'node_modules'));
    const [, ...names] = /^npm install (.*)$/.exec(blockAfter('## Quick start', 'sh').trim())!;
    for (const name of names.join().split(' ')) {
      symlinkSync(
        name === 'express-salesforce-auth' ? root : join(root, 'node_modules', name),
        join(folder, 'node_modules', name),
      );
    }
  });
  afterEach(async () => {
    for (const child of children.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill();
        await once(child, 'exit');
      }
    }
    rmSync(folder, { recursive: true });
  });

  /** Runs a command in the folder, until it prints what is waited for. */
  async function run(args: string[], isReady: RegExp): Promise<string> {
    const child = spawn(process.execPath, args, { cwd: folder, env: { PATH: process.env['PATH'] } });
    children.push(child);
    let output = '';
    return new Promise((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${String(code)}:\n${output}`)));
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (part: Buffer) => {
          output += part.toString();
          if (isReady.test(output)) resolve(output);
        });
      }
    });
  }

  it('shows the accounts of a user who logs in with what the emulator prints', async () => {
    const [port, emulatorPort] = [await freePort(), await freePort()];
    const code = blockAfter('<!-- quick start -->', 'js');
    const [emulate, start] = blockAfter('No Salesforce account is needed', 'sh').trim().split('\n');
    expect(emulate).toBe('npx express-salesforce-auth emulator --dotenv .env');
    expect(start).toMatch(/^node --env-file=\.env app\.mjs( #|$)/);
    expect(code.trim().split('\n').length).toBeLessThan(30);
    writeFileSync(join(folder, 'app.mjs'), code);
    // The usual ports may be in use on this machine: both are named as the README says.
    const callback = `http://localhost:${port}/auth/salesforce/callback`;

    const printed = await run(
      [join(dist, 'cli.js'), ...emulate!.split(' ').slice(2), '--port', String(emulatorPort), '--callback', callback],
      /Ctrl\+C/,
    );
    await run(['--env-file=.env', 'app.mjs'], new RegExp(`Open http://localhost:${port}`));
    const [, username, password] = /^ {2}(\S+@\S+) \/ (\S+)$/m.exec(printed)!;
    const page = await browser.newPage();
    await page.goto(`http://localhost:${port}/`);
    await page.getByLabel('Username').fill(username!);
    await page.getByLabel('Password').fill(password!);
    await page.getByRole('button', { name: 'Log In' }).click();
    await page.getByRole('button', { name: 'Allow' }).click();
    await page.waitForURL(`http://localhost:${port}/`);

    const shown = JSON.parse(await page.innerText('body')) as { user: string; accounts: { totalSize: number } };
    expect(shown.user).toBe('Ada Fake');
    expect(shown.accounts.totalSize).toBe(10);
  });
});
