import type { Request } from 'express';
import { startApp, walkToCallback, type ExpressMajor } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/*
 * Functions of the application that fail. The application gets an error, and never `next(undefined)`, which Express takes for
 * success. Jest fails a test that leaves a rejected promise to nobody.
 */

const failures: Record<string, () => never | Promise<never>> = {
  throws: () => {
    throw new Error('of the application');
  },
  'throws undefined': () => {
    throw undefined as unknown as Error;
  },
  // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- what an application may do
  'rejects with undefined': () => Promise.reject(),
};

const cases = ([4, 5] as ExpressMajor[]).flatMap((express) =>
  ['authorizeUser', 'onLogin'].flatMap((option) =>
    Object.keys(failures).map((failure) => ({ express, option, failure })),
  ),
);

describe('a function of the application that fails', () => {
  it.each(cases)('Express $express: $option $failure', async ({ express, option, failure }) => {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator, express, options: { [option]: failures[failure] } });
    const browser = app.browser();

    const answer = await browser.get(await walkToCallback(browser, emulator));

    expect(answer.status).toBe(500);
    expect(app.errors).toEqual([expect.any(Error)]);
    expect((await browser.get('/')).body.isAuthenticated).toBe(false);
  });

  it.each(['throws', 'throws undefined'])('publicUrl %s', async (failure) => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator, options: { publicUrl: failures[failure] as never } });

    const answer = await browser().get('/auth/salesforce');

    expect(answer.status).toBe(500);
    expect(errors).toEqual([expect.any(Error)]);
  });
});

describe('salesforce.of() of a request that Express has not seen', () => {
  it('refuses a visitor a token, and logs out', async () => {
    const emulator = await startTestEmulator();
    const { salesforce } = await startApp({ emulator });
    const req = { headers: {}, session: {} } as unknown as Request;

    await expect(salesforce.of(req).getAccessToken()).rejects.toMatchObject({ status: 401 });
    await expect(salesforce.of(req).logout()).resolves.toBeUndefined();
  });
});
