/** `npm run screenshots` opens the pages of the example, with the emulator, and writes the pictures of docs/images. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { requireProgram } from './servers/programs.mjs';

const folder = fileURLToPath(new URL('../docs/images/', import.meta.url));
const looks = [
  { name: 'desktop', viewport: { width: 1200, height: 860 }, colorScheme: 'light' },
  { name: 'phone', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
];
const ada = { username: 'ada@acme.example', password: '__fake_password_1__' };

mkdirSync(folder, { recursive: true });
const executablePath = requireProgram('Chromium');
const { url, stop } = await startExample();
const switches = ['no-sandbox', 'headless', 'disable-gpu', 'disable-background-networking', 'hide-scrollbars'];
const browser = await chromium.launch({ executablePath, args: switches.map((name) => `--${name}`) });
try {
  for (const look of looks) await walk(look);
} finally {
  await browser.close();
  await stop();
}

async function walk({ name: look, ...options }) {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' });
  const page = await context.newPage();
  const button = (name) => page.getByRole('button', { name, exact: true });
  const take = async (name, fullPage = false) => {
    await page.screenshot({ path: `${folder}${name}-${look}.png`, fullPage });
    console.log(`${name}-${look}.png`);
  };
  await page.goto(url);
  await take('login');
  await page.goto(`${url}/setup`);
  await button('Check these settings').click();
  await page.locator('#diagnosis').waitFor();
  await page.evaluate('scrollTo(0, 0)');
  await take('setup');
  await page.goto(url);
  await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
  await page.getByLabel('Username').fill(ada.username);
  await page.getByLabel('Password').fill(ada.password);
  await button('Log In').click();
  await button('Allow').or(button('Log out')).waitFor();
  if (await button('Allow').isVisible()) await button('Allow').click();
  await button('Log out').waitFor();
  for (let times = 0; times < 3; times++) await button('Expire the token').click();
  await page.goto(url);
  await take('dashboard');
  await page.goto(`${url}/faults`);
  await page.getByLabel('503 Service').check();
  await button('Add this fault').click();
  await page.getByRole('link', { name: 'Load the accounts' }).click();
  await take('faults');
  await page.goto(`${url}/faults`);
  await button('Remove all faults')
    .click({ timeout: 2_000 })
    .catch(() => undefined);
  await context.close();
}

async function startExample() {
  const env = { ...process.env, PORT: '0', NODE_ENV: 'development', SALESFORCE_CLIENT_ID: '' };
  const child = spawn(process.execPath, ['example/start.mjs'], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const ready = new Promise((resolve) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      const match = /^Ready: (\S+)/m.exec(output);
      if (match) resolve(match[1]);
    });
  });
  const started = await Promise.race([ready, once(child, 'exit').then(() => undefined)]);
  if (started === undefined) throw new Error(`The example did not start:\n${output}`);
  return {
    url: started,
    stop: async () => {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}
