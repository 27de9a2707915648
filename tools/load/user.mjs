/** A user with a browser, who waits, tries again, and logs in again if asked to. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { random } from './faults.mjs';

export class User {
  #cookies = new Map();
  #grantId;

  constructor(user, { emulator, workers, report }) {
    Object.assign(this, { user, emulator, workers, report });
  }

  async run(isOver) {
    while (!isOver()) {
      await this.#ask();
      await sleep(3_000 + random() * 6_000);
    }
  }

  /** Sends requests until an answer says whether the user is still logged in. */
  async settle() {
    for (let tries = 0; tries < 240; tries++) {
      if ((await this.#ask()) === 200) return;
      await sleep(1_000);
    }
    this.report.unsettled(this.user.userId);
  }

  async logIn(reason) {
    const { username, password } = this.user;
    for (;;) {
      // By a link on a page of the application. From elsewhere, a session that still names a login would be asked first.
      const start = await this.#get('/auth/salesforce', { referer: `http://${this.workers.publicHost}/` });
      if (start?.status === 302) {
        const url = await this.emulator
          .logIn({ authorizeUrl: start.headers.get('location'), username, password })
          .catch(() => undefined);
        const callback = url === undefined ? undefined : new URL(url);
        const answer = callback && (await this.#get(callback.pathname + callback.search));
        if (answer?.status === 302) break;
      }
      await sleep(250);
    }
    this.report.loggedIn(this.user.userId, reason);
  }

  async #ask() {
    const startedAt = performance.now();
    const answer = await this.#get('/limits');
    const status = answer?.status ?? 'no connection';
    const body = answer ? await answer.json().catch(() => ({})) : {};
    this.report.answered(status, body, performance.now() - startedAt);
    if (body.grantId) this.#grantId = body.grantId;
    if (status !== 401) return status;
    await this.logIn(this.report.loggedOut(this.user.userId, this.#grantId, this.emulator));
    return status;
  }

  async #get(path, further = {}) {
    const base = this.workers.any();
    if (base === undefined) return undefined;
    try {
      const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { cookie, accept: 'application/json', 'x-forwarded-host': this.workers.publicHost, ...further };
      const answer = await fetch(base + path, { redirect: 'manual', headers });
      for (const line of answer.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
        if (value === '' || /expires=Thu, 01 Jan 1970/i.test(line)) this.#cookies.delete(name);
        else this.#cookies.set(name, value);
      }
      return answer;
    } catch {
      return undefined;
    }
  }
}
