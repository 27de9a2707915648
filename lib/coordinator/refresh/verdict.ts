/**
 * The policy of refreshing, as one table: what an answer of Salesforce means for a grant, for the request that waits, and for
 * the operator. It is a pure function; docs/reference/verdicts.md is printed from it.
 */

/** What came of presenting a refresh token. */
export const answers = [
  /** New tokens of the same user. */
  'tokens',
  /** A refusal that is known to mean that the refresh token has ended. */
  'known refusal',
  /** `invalid_grant` with a text that is not in the catalogue. */
  'unknown refusal',
  /** Client, app or policy are refused, not the grant. */
  'client refused',
  /** 429, 503 or an error that says so: the request was turned away before it was worked on. */
  'not carried out',
  /** No connection: not one byte was sent. */
  'not sent',
  /** The name does not resolve, or the host redirects or has no such page. */
  'host gone',
  /** The same refresh token is being presented elsewhere. */
  'in use',
  /** No readable answer: Salesforce may have carried the request out. */
  'lost',
  /** The claim was too old when the first byte was to be sent. */
  'held back',
  /** The grant has newer tokens by now. */
  'newer tokens',
  /** The user logged out meanwhile. */
  'logged out',
] as const;
export type Answer = (typeof answers)[number];

/** What is known of refresh token rotation at the client and organization of a grant. */
export const rotations = ['on', 'off', 'unknown'] as const;
export type RotationState = (typeof rotations)[number];

/** Whether a client can authenticate; Salesforce tells a public client nothing about its tokens. */
export const clients = ['confidential', 'public'] as const;
type ClientKind = (typeof clients)[number];

/** What introspection says of the refresh token. */
export const introspections = ['not asked yet', 'cannot be asked', 'does not tell', 'active', 'inactive'] as const;
export type Introspection = (typeof introspections)[number];

/** The state of the access token. Only a known end counts as `over`; a presumed end does not. */
export const accessTokens = ['works', 'refused', 'over'] as const;
export type AccessTokenState = (typeof accessTokens)[number];

/** What to do while Salesforce does not tell: the option `onLostAnswer`, and whether `inDoubtMs` is over. */
export const patiences = ['wait', 'waited', 'login', 'retry'] as const;
type Patience = (typeof patiences)[number];

export interface Evidence {
  answer: Answer;
  rotation: RotationState;
  client: ClientKind;
  introspection: Introspection;
  patience: Patience;
  accessToken: AccessTokenState;
}

/** What an answer of Salesforce means for a grant. */
export type Verdict =
  'refreshed' | 'ended' | 'in doubt' | 'try later' | 'refused' | 'not delivered' | 'held back' | 'superseded';

/** What becomes of the stored grant. */
type GrantFate = 'new tokens' | 'kept' | 'in doubt' | 'ended' | 'unchanged';

/** What the waiting request gets. */
export type RequestFate = 'new token' | 'old token' | 'newest token' | '503' | '502' | 'login' | 'logged out';

type VerdictEvent = 'refresh.succeeded' | 'refresh.failed' | 'refresh.doubted' | 'refresh.ended' | 'refresh.superseded';

export interface Ruling {
  verdict: Verdict;
  grant: GrantFate;
  request: RequestFate;
  event: VerdictEvent;
}

type Pattern = { readonly [Name in keyof Omit<Evidence, 'accessToken'>]?: readonly Evidence[Name][] };

/** One row of the table. The first row that fits counts; what a pattern leaves out may be anything. */
export interface Row extends Ruling {
  when: Pattern;
  why: string;
}

const ended = { verdict: 'ended', grant: 'ended', request: 'login', event: 'refresh.ended' } as const;
const doubted = { verdict: 'in doubt', grant: 'in doubt', request: '503', event: 'refresh.doubted' } as const;
const tryLater = { verdict: 'try later', grant: 'kept', request: '503', event: 'refresh.failed' } as const;
const unclear = ['lost', 'unknown refusal'] as const;

export const rows: readonly Row[] = [
  {
    when: { answer: ['tokens'] },
    verdict: 'refreshed',
    grant: 'new tokens',
    request: 'new token',
    event: 'refresh.succeeded',
    why: 'They are stored before a request gets them.',
  },
  { when: { answer: ['known refusal'] }, ...ended, why: 'Salesforce says that the refresh token is over.' },
  {
    when: { answer: ['client refused'] },
    verdict: 'refused',
    grant: 'kept',
    request: '502',
    event: 'refresh.failed',
    why: 'A person has to correct the client or the policy.',
  },
  { when: { answer: ['not carried out'] }, ...tryLater, why: 'The refresh token was not spent.' },
  {
    when: { answer: ['not sent', 'host gone'] },
    ...tryLater,
    verdict: 'not delivered',
    why: 'Nothing was carried out, and no other host of the same tenant took it.',
  },
  {
    when: { answer: ['held back'] },
    verdict: 'held back',
    grant: 'unchanged',
    request: 'newest token',
    event: 'refresh.superseded',
    why: 'Another process may be presenting by now.',
  },
  {
    when: { answer: ['newer tokens'] },
    verdict: 'superseded',
    grant: 'unchanged',
    request: 'newest token',
    event: 'refresh.superseded',
    why: 'A login or another refresh came first.',
  },
  {
    when: { answer: ['logged out'] },
    verdict: 'superseded',
    grant: 'unchanged',
    request: 'logged out',
    event: 'refresh.superseded',
    why: 'What the refresh brought is revoked.',
  },
  { when: { answer: ['in use'], rotation: ['off'] }, ...tryLater, why: 'Nothing is spent without rotation.' },
  { when: { answer: ['in use'], client: ['public'] }, ...tryLater, why: 'A public client cannot find out more.' },
  { when: { answer: ['in use'] }, ...doubted, why: 'The other presentation may spend the refresh token.' },
  {
    when: { answer: ['lost'], rotation: ['off'] },
    ...tryLater,
    why: 'Nothing was spent: the refresh token is presented again after a pause.',
  },
  {
    when: { answer: unclear, introspection: ['not asked yet'] },
    ...doubted,
    why: 'The refresh token is not presented before it is known to be unspent.',
  },
  {
    when: { answer: unclear, introspection: ['active'] },
    ...tryLater,
    why: 'The refresh token is good. A lost answer is presented again at once; of an unknown refusal the operator is told.',
  },
  {
    when: { answer: unclear, introspection: ['inactive'], client: ['confidential'] },
    ...ended,
    why: 'Salesforce says that the refresh token was spent or revoked.',
  },
  {
    when: { answer: unclear, introspection: ['cannot be asked'] },
    ...doubted,
    why: 'This time does not count towards `inDoubtMs`.',
  },
  {
    when: { answer: unclear, patience: ['retry'] },
    ...tryLater,
    why: "`onLostAnswer: 'retry'` presents the refresh token again, at its own risk.",
  },
  {
    when: { answer: unclear, patience: ['waited', 'login'] },
    ...ended,
    why: "`inDoubtMs` is over, or `onLostAnswer: 'login'` does not wait for its end.",
  },
  { when: { answer: unclear }, ...doubted, why: 'This time counts towards `inDoubtMs`.' },
];

/** The row that applies. */
export function rowOf(evidence: Omit<Evidence, 'accessToken'>): Row {
  const row = rows.find(({ when }) =>
    Object.entries(when).every(([name, values]) =>
      (values as readonly string[]).includes(evidence[name as keyof typeof evidence]),
    ),
  );
  if (!row) throw new Error('The table of verdicts has a gap.');
  return row;
}

/** What happens to the grant and to the request, and which event is emitted. */
export function rulingOf({ accessToken, ...evidence }: Evidence): Ruling {
  const { verdict, grant, request, event } = rowOf(evidence);
  return { verdict, grant, request: requestOf(request, accessToken), event };
}

/** While a user's access token works, the user is logged in, whatever became of the refresh token. */
export function requestOf(request: RequestFate, accessToken: AccessTokenState): RequestFate {
  const isWorse = request === '503' || request === '502' || request === 'login';
  return isWorse && accessToken === 'works' ? 'old token' : request;
}
