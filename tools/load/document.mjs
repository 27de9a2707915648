/** Writes the results of runs into docs/internals/load.md. docs/internals/load.json keeps the last result of each kind of run. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const document = new URL('../../docs/internals/load.md', import.meta.url);
const results = new URL('../../docs/internals/load.json', import.meta.url);

const number = (value) => (value ?? 0).toLocaleString('en');
const sum = (counts, isMeant) =>
  number(
    Object.entries(counts)
      .filter(([name]) => isMeant(name))
      .reduce((total, [, count]) => total + count, 0),
  );
const isOfProvider = (name) => /^(\d{3}|drop|delay)$/.test(name);

/** The rows of the table. */
const rows = {
  'Requests answered 200': ({ answers }) => number(answers['200']),
  'Requests answered 503': ({ answers }) => number(answers['503']),
  "The API's own dropped connections, passed on as 502": ({ answers }) => number(answers['502']),
  'No connection, since the process was gone': ({ answers }) => number(answers['no connection']),
  'Single faults of the provider (429, 5xx, drops, delays)': ({ faults }) => sum(faults, isOfProvider),
  'Outages of all of Salesforce for longer than `inDoubtMs`': ({ faults }) =>
    sum(faults, (name) => /^outage/.test(name)),
  'Moves of the organization to another instance': ({ faults }) => sum(faults, (name) => /instance$/.test(name)),
  'Store killed and started again': ({ faults }) => number(faults['store restarted']),
  'Processes ended by SIGKILL': ({ faults }) => number(faults['process ended by SIGKILL']),
  'Processes ended by SIGTERM': ({ faults }) => number(faults['process ended by SIGTERM']),
  'Processes frozen by SIGSTOP': ({ faults }) => sum(faults, (name) => /frozen/.test(name)),
  '… of them for longer than a claim': ({ faults }) => sum(faults, (name) => /frozen for/.test(name)),
  'Refresh tokens presented': ({ presented }) => number(presented),
  '… of them spent or overlapping': ({ violations }) => number(violations),
  'Refreshes under way when their process was killed': ({ cut }) => number(cut.SIGKILL),
  'Refreshes under way when their process was ended by SIGTERM': ({ cut }) => number(cut.SIGTERM),
  'Refreshes under way when their process was frozen': ({ cut }) => number(cut.SIGSTOP),
  'New logins, each for a refresh that a kill cut': ({ logouts }) => number(logouts.killed),
  'New logins, each for a refresh that a freeze cut': ({ logouts }) => number(logouts.frozen),
  'Log-outs for any other reason': ({ logouts }) => number(logouts.unexplained),
  'Users without an answer at the end': ({ unsettled }) => number(unsettled),
  'Median latency of a 200': ({ latencyMs }) => `${latencyMs.median} ms`,
  '99 % of them within': ({ latencyMs }) => `${(latencyMs.p99 / 1000).toFixed(1)} s`,
  Result: ({ isClean }) => (isClean ? 'clean' : '**not clean**'),
};

const names = { redis: 'Redis', postgres: 'PostgreSQL' };

/** Keeps a result in the place of the last one of the same length on the same store, and writes the table anew. */
export function writeResult(result) {
  const kept = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : [];
  const others = kept.filter(({ store, seconds }) => store !== result.store || seconds !== result.seconds);
  const all = [...others, result].sort((a, b) => a.seconds - b.seconds || b.store.localeCompare(a.store));
  writeFileSync(results, `${JSON.stringify(all, null, 2)}\n`);
  const head = ['', ...all.map(({ store, seconds }) => `${names[store]}, ${seconds / 60} min`)];
  const body = Object.entries(rows).map(([title, value]) => [title, ...all.map(value)]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...body.map(line)].join(
    '\n',
  );
  const settings = all.map(({ users, workers, node }) => `${users} users on ${workers} processes, Node ${node}`);
  const setting = [...new Set(settings)].join('; ');
  const text = readFileSync(document, 'utf8');
  writeFileSync(
    document,
    text.replace(
      /(<!-- load -->\n)[^]*(<!-- \/load -->)/,
      (_all, begin, end) => `${begin}\n${setting}:\n\n${table}\n\n${end}`,
    ),
  );
}
