/** @tier all */
import type { Page } from 'playwright-core';
import { describeWith } from '../helpers/programs';
import {
  accountsOn,
  describeInBrowser,
  eventually,
  logIn,
  refreshCount,
  runExample,
  startExample,
  useBrowser,
} from './support';

jest.setTimeout(240_000);

const ada = { username: 'ada@acme.example', password: '__fake_password_1__' };

/** The process a page says it came from. */
async function processOf(page: Page): Promise<number> {
  const said = /This page came from process (\d+)\./.exec(await page.locator('footer').innerText());
  return Number(said?.[1]);
}

/** Opens the dashboard again until it has come from `count` processes. */
async function meet(page: Page, url: string, count: number): Promise<Set<number>> {
  const met = new Set<number>();
  await eventually(async () => {
    await page.goto(url);
    met.add(await processOf(page));
    expect(met.size).toBeGreaterThanOrEqual(count);
  });
  return met;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describeInBrowser('the example as two processes', () => {
  const browser = useBrowser();

  const sharesAndSurvives = async (kind: string): Promise<void> => {
    const example = await startExample({}, 'many.mjs', kind);
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    expect((await meet(page, example.url, 2)).size).toBe(2);

    await page.getByRole('button', { name: 'Expire the token' }).click();
    expect(await refreshCount(page)).toBe(1);
    const both = [...(await meet(page, example.url, 2))];
    expect(await refreshCount(page)).toBe(1);

    process.kill(both[0]!, 'SIGKILL');
    await eventually(() => {
      expect(example.output()).toContain(`Process ${both[0]} has ended; another one starts.`);
    });
    const after = await meet(page, example.url, 2);
    expect(after).not.toContain(both[0]);
    await page.getByRole('button', { name: 'Expire the token' }).click();
    await page.getByRole('link', { name: 'Accounts', exact: true }).click();
    expect((await accountsOn(page)).length).toBeGreaterThan(0);

    expect(await example.stop('SIGINT')).toBe(0);
    expect([...after].filter(isRunning)).toEqual([]);
    // The process that was killed took the streams and requests of its pages along.
    expect(
      browser.complaints.filter(
        (text) => !/ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION|ERR_EMPTY_RESPONSE/.test(text),
      ),
    ).toEqual([]);
  };

  it('shares logins and refreshes in PostgreSQL, and survives the death of one', () => sharesAndSurvives('postgres'));

  describeWith('Redis')('on a server in memory', () => {
    it('shares logins and refreshes in Redis, and survives the death of one', () => sharesAndSurvives('redis'));
  });

  it('says which servers it can be started with', async () => {
    const { code, output } = await runExample({}, 'many.mjs', 'mysql');

    expect(code).toBe(1);
    expect(output).toContain('Say where to keep sessions and grants: redis or postgres.');
  });
});
