import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { dist } from '../helpers/built';

interface Seen {
  status: number;
  retryAfter: string | null;
  states: { state: string; version: number }[];
  warnings: { code: string; message: string }[];
  events: { name: string; code?: string; cause?: string; verdict?: string }[];
  errors: { name: string; code?: string; message: string }[];
}

interface Everything {
  answers: Record<string, Seen>;
  isNew: boolean;
  violations: number;
}

const code = 'ERR_SALESFORCE_NOT_LOADED';
const notLoaded = { name: 'SalesforceAuthError', code, message: expect.stringContaining('restart the process') };
const told = { code, message: expect.stringContaining('restart the process') };
const undelivered = { name: 'refresh.failed', code, verdict: 'not delivered' };

/** An installation of its own, from which parts can be taken. Its dependencies are links to ours. */
function install(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lost-parts-'));
  cpSync(dist, join(folder, 'dist'), { recursive: true });
  const modules = resolve(__dirname, '../../node_modules');
  mkdirSync(join(folder, 'node_modules'));
  for (const name of readdirSync(modules)) {
    if (!name.startsWith('.')) symlinkSync(join(modules, name), join(folder, 'node_modules', name), 'junction');
  }
  return folder;
}

async function run(folder: string, ...dependency: string[]): Promise<Everything> {
  const program = join(__dirname, 'programs/lost-parts.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [program, folder, ...dependency]);
  return JSON.parse(stdout) as Everything;
}

describe('a part of the package that is gone while the application runs', () => {
  let folder: string;
  let seen: Everything;
  beforeAll(async () => {
    folder = install();
    seen = await run(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each(['login without its steps', 'login without the strategy'])('fails a login: %s', (what) => {
    expect(seen.answers[what]).toEqual({
      ...{ status: 503, retryAfter: '5', states: [], errors: [notLoaded], warnings: [told] },
      events: [{ name: 'login.failed', code }],
    });
  });

  it('is loaded once it is back: the next login succeeds', () => {
    const states = [{ state: 'idle', version: 1 }];

    expect(seen.answers['login']).toMatchObject({ status: 302, states, errors: [], warnings: [] });
  });

  it('fails a call that needs it', () => {
    expect(seen.answers['connection']).toMatchObject({ status: 503, retryAfter: '5', errors: [notLoaded] });
  });

  it.each(['soft', 'hard'])('leaves the old token in use, claims nothing, and is reported: %s bound', (cause) => {
    expect(seen.answers[`${cause} refresh`]).toEqual({
      ...{ status: 200, retryAfter: null, states: [{ state: 'idle', version: 1 }], errors: [], warnings: [told] },
      events: [{ ...undelivered, cause }],
    });
  });

  it('fails a request whose token was refused with 503, and claims nothing', () => {
    expect(seen.answers['refused token']).toEqual({
      ...{ status: 503, retryAfter: '5', states: [{ state: 'idle', version: 1 }], warnings: [told] },
      errors: [notLoaded],
      events: [
        { ...undelivered, cause: 'hard' },
        { ...undelivered, cause: 'rejected' },
        { name: 'token.failed', code },
      ],
    });
  });

  it('costs no login: once it is back, the token is refreshed', () => {
    expect(seen.answers['refresh']).toMatchObject({ status: 200, states: [{ state: 'idle', version: 2 }], errors: [] });
    expect(seen).toMatchObject({ isNew: true, violations: 0 });
  });

  it('is named for the operator if it is a package, which Node.js looks for once', async () => {
    const { answers } = await run(folder, 'passport-oauth2');

    for (const { status, errors, warnings } of Object.values(answers)) {
      expect({ status, errors, warnings }).toEqual({ status: 503, errors: [notLoaded], warnings: [told] });
      expect(warnings[0]!.message).toContain("('passport-oauth2' is missing, MODULE_NOT_FOUND)");
    }
    expect(Object.keys(answers)).toHaveLength(2);
  });
});
