/** The results of a run, and whether each logout is explained. */

export class Report {
  #startedAt = Date.now();
  #counts = new Map();
  #latencies = [];
  /** Refresh tokens that the provider issued, by user, oldest first. */
  #issued = new Map();
  /** The process that refreshes a grant, by grant. */
  #attempts = new Map();
  /** Processes that are frozen. */
  #frozen = new Set();
  /** Grants whose refresh was cut by a kill or a freeze, and not refreshed since then, with what cut it. */
  #cut = new Map();
  /** Refresh tokens that were lost, each of which explains one logout. */
  #matched = new Map();
  #unexplained = [];
  #unsettled = [];

  count(group, name, by = 1) {
    const counts = this.#counts.get(group) ?? new Map();
    this.#counts.set(group, counts.set(name, (counts.get(name) ?? 0) + by));
  }

  /** Notes a token reply of the provider. */
  issued(reply) {
    if (reply.refresh_token) {
      const userId = reply.id.split('/').at(-1);
      const list = this.#issued.get(userId) ?? [];
      list.push(reply.refresh_token);
      this.#issued.set(userId, list);
    }
    return reply;
  }

  /** Notes a message of a process about its refreshes. */
  told(pid, { event, grantId, code }) {
    this.count(event, code ?? '');
    if (event === 'grant.moved') return;
    if (event === 'refresh.started') {
      this.#attempts.set(grantId, pid);
      // The message was on its way when the process was frozen.
      if (this.#frozen.has(pid)) this.#cut.set(grantId, 'frozen');
    } else if (this.#attempts.get(grantId) === pid) this.#attempts.delete(grantId);
    if (event === 'refresh.succeeded') this.#cut.delete(grantId);
  }

  /** Notes that a process stands still. Other processes then take it for dead, and may find that its refresh was carried out. */
  frozen(pid) {
    this.#frozen.add(pid);
    for (const [grantId, owner] of this.#attempts) {
      if (owner !== pid) continue;
      this.count('refreshes under way when their process stopped by', 'SIGSTOP');
      this.#cut.set(grantId, 'frozen');
    }
  }

  thawed(pid) {
    this.#frozen.delete(pid);
  }

  /** Notes the end of a process, after its last message. Only a kill may interrupt a refresh. */
  ended(pid, signal) {
    this.#frozen.delete(pid);
    for (const [grantId, owner] of this.#attempts) {
      if (owner !== pid) continue;
      this.#attempts.delete(grantId);
      this.count('refreshes under way when their process stopped by', signal);
      if (signal === 'SIGKILL') this.#cut.set(grantId, 'killed');
    }
  }

  answered(status, body, ms) {
    this.count('answers', String(status));
    if (status === 200) this.#latencies.push(ms);
    if (status === 503) this.count('503', body.code ?? '');
    if (status === 200 && body.upstream !== 200) this.count('answers of the API passed on', String(body.upstream));
    if (typeof status === 'number' && ![200, 401, 503].includes(status))
      this.count('other answers', `${status} ${body.code ?? ''}`);
  }

  loggedIn(_userId, reason) {
    this.count('logins', reason);
  }

  /**
   * Notes that a user must log in again. This is explained only if the process that was refreshing the grant was killed or frozen
   * after the provider had rotated the token. The last issued token was then never presented, and the token before is spent. Each
   * such token explains one logout.
   */
  loggedOut(userId, grantId, emulator) {
    const issued = this.#issued.get(userId) ?? [];
    const last = issued.at(-1);
    const isLost = issued.length > 1 && !this.#matched.has(last) && !emulator.presentations.has(last);
    const cut = this.#cut.get(grantId);
    if (isLost && cut) {
      this.#cut.delete(grantId);
      this.#matched.set(last, cut);
      return `${cut} between presentation and save`;
    }
    this.#unexplained.push(userId);
    return `UNEXPLAINED (${isLost ? 'the last refresh token issued was never presented' : 'no refresh token was lost'})`;
  }

  unsettled(userId) {
    this.#unsettled.push(userId);
  }

  end({ emulator, ...setting }) {
    const presented = [...emulator.presentations.values()].reduce((sum, count) => sum + count, 0);
    this.setting = { ...setting, presented, violations: emulator.violations.map(({ kind }) => kind) };
  }

  get isClean() {
    return this.#unexplained.length + this.#unsettled.length + this.setting.violations.length === 0;
  }

  line() {
    const answers = [...(this.#counts.get('answers') ?? [])].map(([name, count]) => `${name}: ${count}`).join(', ');
    return `${Math.round((Date.now() - this.#startedAt) / 1000)} s  ${answers}  logged out unexplained: ${this.#unexplained.length}`;
  }

  /** What the document shows of the run. */
  figures() {
    const { seconds, users, workers, store, presented, violations } = this.setting;
    const counts = (group) => Object.fromEntries(this.#counts.get(group) ?? []);
    const cut = (kind) => [...this.#matched.values()].filter((value) => value === kind).length;
    const latencyMs = { median: this.#latencyMs(0.5), p99: this.#latencyMs(0.99) };
    return {
      ...{ seconds, users, workers, store, node: process.version, isClean: this.isClean, presented },
      violations: violations.length,
      answers: counts('answers'),
      faults: counts('faults'),
      cut: counts('refreshes under way when their process stopped by'),
      logouts: { killed: cut('killed'), frozen: cut('frozen'), unexplained: this.#unexplained.length },
      ...{ unsettled: this.#unsettled.length, latencyMs },
    };
  }

  #latencyMs(part) {
    const sorted = this.#latencies.sort((a, b) => a - b);
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
  }

  text() {
    const { seconds, users, workers, store, presented, violations } = this.setting;
    const at = (part) => `${this.#latencyMs(part)} ms`;
    const groups = [...this.#counts].flatMap(([group, counts]) => [
      `${group}:`,
      ...[...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
    ]);
    return [
      `${users} users, ${workers} processes, ${store}, ${seconds} s`,
      ...groups,
      `refresh tokens presented: ${presented}, of them spent or overlapping: ${violations.length}`,
      `latency of a 200: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1)}`,
      `log-outs matched one by one with a refresh that a kill or a freeze cut: ${this.#matched.size}`,
      `log-outs unexplained: ${this.#unexplained.length}; users without an answer at the end: ${this.#unsettled.length}`,
      this.isClean ? 'CLEAN' : 'NOT CLEAN',
    ].join('\n');
  }
}
