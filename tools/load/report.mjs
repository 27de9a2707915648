/** What happened, and whether each log-out was honest. */

/** How long before a kill Salesforce may have answered a refresh whose tokens the kill took along, in milliseconds. */
const lostWithinMs = 5_000;

export class Report {
  #startedAt = Date.now();
  #counts = new Map();
  #latencies = [];
  /** User → the refresh tokens the provider issued, in order. */
  #issued = new Map();
  #kills = [];
  #matched = new Set();
  #unexplained = [];
  #unsettled = [];

  count(group, name, by = 1) {
    const counts = this.#counts.get(group) ?? new Map();
    this.#counts.set(group, counts.set(name, (counts.get(name) ?? 0) + by));
  }

  /** A token reply, on its way out of the provider. */
  issued(reply) {
    if (reply.refresh_token) {
      const userId = reply.id.split('/').at(-1);
      const list = this.#issued.get(userId) ?? [];
      list.push({ token: reply.refresh_token, at: Date.now() });
      this.#issued.set(userId, list);
    }
    return reply;
  }

  ended(signal) {
    this.count('faults', `process ended by ${signal}`);
    if (signal === 'SIGKILL') this.#kills.push(Date.now());
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
   * Somebody has to log in again. Honest is that only where the provider rotated and the new token never came home: its record
   * then has a token that was issued last and never presented, and the one before is dead there for good. Each such token
   * excuses one log-out; those of a kill are told apart from those of an answer that came too late.
   */
  loggedOut(userId, emulator) {
    const last = this.#issued.get(userId)?.at(-1);
    const isLost =
      last !== undefined &&
      !this.#matched.has(last.token) &&
      !emulator.presentations.has(last.token) &&
      this.#issued.get(userId).length > 1;
    if (isLost) {
      this.#matched.add(last.token);
      const isKilled = this.#kills.some((at) => at >= last.at - 50 && at - last.at <= lostWithinMs);
      return isKilled ? 'killed between rotation and save' : 'the answer to a rotation came too late or not at all';
    }
    this.#unexplained.push(userId);
    return 'UNEXPLAINED';
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

  text() {
    const { seconds, users, workers, store, presented, violations } = this.setting;
    const sorted = this.#latencies.sort((a, b) => a - b);
    const at = (part) => `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)} ms`;
    const groups = [...this.#counts].flatMap(([group, counts]) => [
      `${group}:`,
      ...[...counts].sort((a, b) => b[1] - a[1]).map(([name, count]) => `  ${String(count).padStart(7)}  ${name}`),
    ]);
    return [
      `${users} users, ${workers} processes, ${store}, ${seconds} s`,
      ...groups,
      `refresh tokens presented: ${presented}, of them spent or overlapping: ${violations.length}`,
      `latency of a 200: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, longest ${at(1)}`,
      `log-outs matched one by one with a rotated token that was lost: ${this.#matched.size}`,
      `log-outs unexplained: ${this.#unexplained.length}; users without an answer at the end: ${this.#unsettled.length}`,
      this.isClean ? 'CLEAN' : 'NOT CLEAN',
    ].join('\n');
  }
}
