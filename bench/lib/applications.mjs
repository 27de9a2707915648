import { Browser, logIn } from './browser.mjs';
import { fromRoot } from './paths.mjs';
import { startProcess } from './process.mjs';

/**
 * Starts an application in a process of its own, with a client registered for it.
 *
 * @param client the emulator's client, if several processes share a client
 * @param execPath the Node.js that runs it, if it is not this one
 */
export async function startApplication({ emulator, module, given = {}, client, policy, execArgv, execPath }) {
  const program = await startProcess(fromRoot('bench/lib/app-process.mjs'), { args: [module], execArgv, execPath });
  const { port, url, loginPath } = await program.call('describe');
  const callbackURLs = [
    '/auth/salesforce/callback',
    '/callback',
    '/auth/callback/salesforce',
    '/api/auth/callback/salesforce',
  ].map((path) => url + path);
  const registered = client ?? (await emulator.call('registerClient', { callbackURLs, policy }));
  await program.call('create', { client: registered, ...given });
  const logInto = async ({ visit = true } = {}) => {
    const browser = new Browser();
    if (loginPath !== undefined) await logIn(browser, { url, loginPath, emulator });
    // A browser would follow the redirect. The next request deletes the cookies of the login.
    if (visit) await browser.get(`${url}/token`);
    return browser;
  };
  return { port, url, loginPath, client: registered, logIn: logInto, call: program.call, stop: program.stop };
}
