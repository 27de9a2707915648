import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  accessTokens,
  answers,
  clients,
  introspections,
  patiences,
  requestOf,
  rotations,
  rowOf,
  rows,
  rulingOf,
  type Evidence,
} from '../../lib/coordinator/refresh/verdict';

/** Every combination of evidence there is. */
function everything(): Evidence[] {
  return answers.flatMap((answer) =>
    rotations.flatMap((rotation) =>
      clients.flatMap((client) =>
        introspections.flatMap((introspection) =>
          patiences.flatMap((patience) =>
            accessTokens.map((accessToken) => ({ answer, rotation, client, introspection, patience, accessToken })),
          ),
        ),
      ),
    ),
  );
}

const usual: Evidence = {
  answer: 'lost',
  rotation: 'unknown',
  client: 'confidential',
  introspection: 'not asked yet',
  patience: 'wait',
  accessToken: 'refused',
};

describe('the verdict', () => {
  it.each<[Partial<Evidence>, string]>([
    [{ answer: 'tokens' }, 'refreshed, new tokens, new token, refresh.succeeded'],
    [{ answer: 'known refusal' }, 'ended, ended, login, refresh.ended'],
    [{ answer: 'known refusal', accessToken: 'works' }, 'ended, ended, old token, refresh.ended'],
    [{ answer: 'known refusal', accessToken: 'over' }, 'ended, ended, login, refresh.ended'],
    [{ answer: 'client refused' }, 'refused, kept, 502, refresh.failed'],
    [{ answer: 'not carried out', rotation: 'on' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'not carried out', accessToken: 'works' }, 'try later, kept, old token, refresh.failed'],
    [{ answer: 'not sent', rotation: 'on' }, 'not delivered, kept, 503, refresh.failed'],
    [{ answer: 'host gone', client: 'public' }, 'not delivered, kept, 503, refresh.failed'],
    [{ answer: 'held back', accessToken: 'works' }, 'held back, unchanged, newest token, refresh.superseded'],
    [{ answer: 'newer tokens' }, 'superseded, unchanged, newest token, refresh.superseded'],
    [{ answer: 'logged out' }, 'superseded, unchanged, logged out, refresh.superseded'],
    [{ answer: 'in use' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ answer: 'in use', client: 'public' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'in use', rotation: 'off' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'lost', rotation: 'off' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'lost', rotation: 'off', client: 'public' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'lost' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ answer: 'lost', rotation: 'on', accessToken: 'works' }, 'in doubt, in doubt, old token, refresh.doubted'],
    [{ introspection: 'active' }, 'try later, kept, 503, refresh.failed'],
    [{ introspection: 'active', client: 'public' }, 'try later, kept, 503, refresh.failed'],
    [{ introspection: 'inactive' }, 'ended, ended, login, refresh.ended'],
    [{ introspection: 'inactive', accessToken: 'works' }, 'ended, ended, old token, refresh.ended'],
    [{ introspection: 'inactive', client: 'public' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'cannot be asked' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'cannot be asked', patience: 'waited' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'cannot be asked', patience: 'login' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'cannot be asked', patience: 'retry' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'does not tell' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ introspection: 'does not tell', patience: 'waited' }, 'ended, ended, login, refresh.ended'],
    [{ introspection: 'does not tell', patience: 'login' }, 'ended, ended, login, refresh.ended'],
    [{ introspection: 'does not tell', patience: 'retry' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'unknown refusal' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ answer: 'unknown refusal', rotation: 'off' }, 'in doubt, in doubt, 503, refresh.doubted'],
    [{ answer: 'unknown refusal', introspection: 'active' }, 'try later, kept, 503, refresh.failed'],
    [{ answer: 'unknown refusal', introspection: 'inactive' }, 'ended, ended, login, refresh.ended'],
    [{ answer: 'unknown refusal', introspection: 'cannot be asked' }, 'in doubt, in doubt, 503, refresh.doubted'],
  ])('of %j is %s', (evidence, expected) => {
    const { verdict, grant, request, event } = rulingOf({ ...usual, ...evidence });
    expect([verdict, grant, request, event].join(', ')).toBe(expected);
  });

  it('exists for each possible case, and each row of the table is used', () => {
    const used = new Set(everything().map(({ accessToken: _token, ...evidence }) => rowOf(evidence)));
    expect([...used]).toHaveLength(rows.length);
  });

  it('sends no user to a login, and answers no error, while the access token works and no logout came', () => {
    const logins = everything()
      .filter(({ accessToken }) => accessToken === 'works')
      .map((evidence) => rulingOf(evidence).request);
    expect(new Set(logins)).toEqual(new Set(['new token', 'old token', 'newest token', 'logged out']));
  });

  it('ends a grant for four reasons only', () => {
    const reasons = new Set(
      everything()
        .filter((evidence) => rulingOf(evidence).grant === 'ended')
        .map(({ answer, introspection, patience, client }) => {
          if (answer === 'known refusal') return answer;
          if (introspection === 'inactive' && client === 'confidential') return introspection;
          return patience;
        }),
    );
    expect(reasons).toEqual(new Set(['known refusal', 'inactive', 'waited', 'login']));
  });

  it('presents a refresh token again without proof only with retry, or if rotation is known to be off', () => {
    const again = everything().filter(
      (evidence) =>
        evidence.answer === 'lost' && evidence.introspection !== 'active' && rulingOf(evidence).verdict === 'try later',
    );
    expect(again.every(({ rotation, patience }) => rotation === 'off' || patience === 'retry')).toBe(true);
    expect(again.length).toBeGreaterThan(10);
  });
});

/** The table as docs/reference/verdicts.md has it. `UPDATE_VERDICTS=1` writes it. */
function printed(): string {
  const list = (values: readonly string[] | undefined) => values?.join(', ') ?? 'any';
  const lines = rows.map((row) => {
    const { when, verdict, grant, request, event, why } = row;
    const conditions = [when.answer, when.rotation, when.client, when.introspection, when.patience].map(list);
    return `| ${[...conditions, verdict, grant, requestOf(request, 'works'), request, `\`${event}\``, why].join(' | ')} |`;
  });
  const head =
    'Answer|Rotation|Client|Introspection|Patience|Verdict|Grant|Request, token works|Request, else|Event|Why';
  return [`| ${head.split('|').join(' | ')} |`, `|${' --- |'.repeat(11)}`, ...lines].join('\n');
}

it('stands in docs/reference/verdicts.md as it is in the code', () => {
  const path = join(__dirname, '../../docs/reference/verdicts.md');
  const [start, end] = ['<!-- table -->\n\n', '\n\n<!-- end of table -->'];
  const text = readFileSync(path, 'utf8');
  const before = text.slice(0, text.indexOf(start) + start.length);
  const whole = before + printed() + text.slice(text.indexOf(end));
  if (process.env['UPDATE_VERDICTS'] === '1') writeFileSync(path, whole);

  expect(readFileSync(path, 'utf8')).toBe(whole);
});
