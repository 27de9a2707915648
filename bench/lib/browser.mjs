/** A simple browser for logins. It keeps cookies and follows redirects one by one. */
export class Browser {
  #cookies = new Map();

  get cookie() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  async get(url) {
    const reply = await fetch(url, {
      headers: { cookie: this.cookie, accept: 'text/html' },
      redirect: 'manual',
    });
    this.keep(reply.headers.getSetCookie());
    return { status: reply.status, location: reply.headers.get('location'), body: await reply.text() };
  }

  keep(lines) {
    for (const line of lines) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name === undefined) continue;
      if (value === '' || /max-age=0|expires=thu, 01 jan 1970/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }
}

/** Logs a user in at an application through the emulator; throws if the login does not end with a redirect. */
export async function logIn(browser, { url, loginPath, emulator }) {
  const start = await browser.get(url + loginPath);
  // Some applications make their session without Salesforce.
  if (start.status === 204) return;
  if (start.status !== 302) throw new Error(`The login answered ${start.status}: ${start.body.slice(0, 300)}`);
  const callback = await emulator.call('logIn', start.location);
  const end = await browser.get(callback);
  if (end.status !== 302) throw new Error(`The callback answered ${end.status}: ${end.body.slice(0, 300)}`);
}
