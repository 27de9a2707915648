import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Page } from 'playwright-core';
import type { Emulator, EmulatorUser } from '../../lib/emulator';
// The example runs on dist/, as an application would.
import '../helpers/built';
import { enterPassword, type Person } from '../helpers/chromium';
import { describeWith } from '../helpers/programs';

export { enterPassword, expectHeading, useBrowser, type Person } from '../helpers/chromium';

/** The folder of the repository. */
export const root: string = resolve(__dirname, '../..');

/** `describe` of tests that need a browser. */
export const describeInBrowser = describeWith('Chromium');

/** The example in a process of its own. */
export interface RunningExample {
  /** Its start page, without a trailing slash. */
  url: string;
  /** What it has printed so far. */
  output: () => string;
  /** Asks it to stop as a process manager does. @returns the exit code, null where it had to be killed */
  stop: (signal?: NodeJS.Signals) => Promise<number | null>;
}

const children = new Set<ChildProcess>();

/** Starts a file of the example, with arguments, and waits until it is ready. @throws Error with its output where it ends instead */
export async function startExample(env: Record<string, string> = {}, ...command: string[]): Promise<RunningExample> {
  const { child, output } = spawnExample(env, command.length > 0 ? command : ['start.mjs']);
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const url = await new Promise<string>((ready, fail) => {
    child.stdout?.on('data', () => {
      const match = /^Ready: (\S+)/m.exec(output());
      if (match?.[1] !== undefined) ready(match[1]);
    });
    exit.then(() => fail(new Error(`The example ended before it was ready:\n${output()}`)), fail);
  });
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    child.kill(signal);
    return (await exit)[0];
  };
  return { url, output, stop };
}

/** Runs the example to its end. */
export async function runExample(
  env: Record<string, string>,
  ...command: string[]
): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnExample(env, command.length > 0 ? command : ['start.mjs']);
  const [code] = (await once(child, 'exit')) as [number | null];
  return { code, output: output() };
}

function spawnExample(
  env: Record<string, string>,
  [file, ...args]: string[],
): { child: ChildProcess; output: () => string } {
  // Empty variables count as absent, and keep a developer's own example/.env out of the tests.
  const names = ['CLIENT_ID', 'CLIENT_SECRET', 'PROMPT_TYPE', 'BASE_URL', 'CALLBACK_URL', 'SCOPE'];
  const blank = Object.fromEntries(names.map((name) => [`SALESFORCE_${name}`, '']));
  const child = spawn(process.execPath, [`example/${file}`, ...args], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development', SESSION_SECRET: '', PORT: '0', ...blank, ...env },
  });
  children.add(child);
  let text = '';
  const add = (part: Buffer): void => {
    text += part.toString();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  child.once('exit', () => children.delete(child));
  return { child, output: () => text };
}

afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

/** Logs in from Salesforce's login page to the end, and allows access where Salesforce asks. */
export async function finishLogin(page: Page, person: Person): Promise<void> {
  await enterPassword(page, person);
  const allow = page.getByRole('button', { name: 'Allow' });
  const loggedIn = page.getByRole('button', { name: 'Log out', exact: true });
  await allow.or(loggedIn).waitFor();
  if (await allow.isVisible()) await allow.click();
  await loggedIn.waitFor();
}

/** Opens the start page and logs in. */
export async function logIn(page: Page, url: string, person: Person): Promise<void> {
  await page.goto(url);
  await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
  await finishLogin(page, person);
}

/** How often the page says the token was refreshed. */
export async function refreshCount(page: Page): Promise<number> {
  return Number.parseInt(await page.locator('#refreshes').innerText(), 10);
}

/** A user nobody has logged in as yet, so that what other tests did to a grant does not show. */
export function createPerson({ users }: Emulator): EmulatorUser {
  const people = users as EmulatorUser[];
  const number = people.length + 1;
  const username = `person${number}@acme.example`;
  const userId = `005FAKE0000000${String(number).padStart(2, '0')}AAA`.slice(0, 18);
  const person = { ...people[0]!, username, userId, email: username, displayName: `Person ${number}` };
  people.push(person);
  return person;
}

/** Names of the accounts on a page. */
export function accountsOn(page: Page): Promise<string[]> {
  return page.locator('main table:not(.log) tbody th').allInnerTexts();
}

/** Tries until it no longer throws. */
export async function eventually(check: () => void | Promise<void>, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
