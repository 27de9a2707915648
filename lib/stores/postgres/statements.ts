import { grantSchema, rememberedWrites } from '../stored-grant';
import { forgottenUntil, heldOnly, heldWith, isThere, later, record, session } from './expressions';

/**
 * The SQL of PostgresTokenStore: one statement for each operation, so that it needs neither a transaction nor a session, and
 * is made for poolers such as PgBouncer in any mode.
 *
 * Each statement first locks the row, and so sees its newest version. It takes the server's time once it has the lock, decides,
 * and writes. `$1` is always the id of the grant.
 */
export interface Statements {
  read: string;
  create: string;
  replace: string;
  claim: string;
  renew: string;
  arm: string;
  releaseClaim: string;
  commit: string;
  addHolder: string;
  logOut: string;
  reseal: string;
}

interface Step {
  outcome: string;
  changes: string;
  writes: string;
  result: string;
  /** The message to other processes. */
  told?: string;
}

export interface StatementOptions {
  /** Checked and quoted. */
  table: string;
  /** Where changes are published, checked; undefined for nowhere. */
  channel: string | undefined;
  /** How long an unused grant is kept. */
  retentionMs: number;
  maxHolders: number;
}

export function statementsFor({ table, channel, retentionMs, maxHolders }: StatementOptions): Statements {
  /** Tells other processes once, when the write can be seen. It is part of what a write returns. */
  const tellsOf = (grantId: string, when: string): string =>
    channel === undefined ? '' : `, case when ${when} then pg_notify('${channel}', ${grantId})::text end as told`;
  const tells = (when = 'true'): string => tellsOf('stored.grant_id', when);
  const retained = (heldUntil: string, refreshedAt: string): string =>
    `greatest(${heldUntil}, ${refreshedAt}) + ${retentionMs}::float8 * interval '1 millisecond'`;
  /** Each login and logout removes a few outdated rows. It skips locked rows, so that no request waits. */
  const forgotten = `outdated as materialized (
         select grant_id from ${table}
         where expires_at <= clock_timestamp() and schema_version = ${grantSchema} and grant_id <> $1
         order by expires_at limit 10 for update skip locked
       ), forgotten as (
         delete from ${table} where grant_id in (select grant_id from outdated)
       )`;
  /** The decision, which is the SQL expression `outcome` over the row, and the write, which happens if `writes` holds. */
  const step = ({ outcome, changes, writes, result, told = '' }: Step): string => `
with before as materialized (
  select held.*, clock_timestamp() as now
  from (select * from ${table} where grant_id = $1 and ${isThere} for update) as held
), decided as materialized (
  select before.*, case when schema_version <> ${grantSchema} then 'schema' ${outcome} end as outcome from before
), changed as (
  update ${table} as stored set ${changes}
  from decided
  where stored.grant_id = decided.grant_id and ${writes}
  returning stored.*, decided.now, decided.outcome${told}
)
${result}`;
  const takes = `decided.outcome in ('claimed', 'resolve')`;
  const enters = `(${takes} or (decided.outcome = 'backoff' and decided.state = 'presenting'))`;
  const isRefused = `(decided.outcome not in ('schema', 'loggedOut', 'moved') and decided.refused is distinct from $6::text
         and $6::text is not null)`;
  const decision = 'select outcome, schema_version, version from decided';
  const owned = 'generation = $2 and owner = $3';
  const holding = (name: string, ms: string): string =>
    // Extending a holder is common, and does not have to read the other holders.
    `holders = case when decided.holders ? ${name}::text
         then decided.holders || ${session(name, ms)}
         else ${heldWith('decided', session(name, ms), maxHolders)} end,
       forgotten_until = case when decided.holders ? ${name}::text then decided.forgotten_until
         else ${forgottenUntil('decided', maxHolders)} end,
       held_until = greatest(decided.held_until, ${later(ms)})`;
  /** The version that the write of this name wrote; null if the record does not remember the write. */
  const writtenBefore = (row: string): string => `${row}.written_versions[array_position(${row}.writers, $12::text)]`;
  const remembered = (row: string, version: string): string =>
    `writers = (array[$12::text] || ${row}.writers)[1:${rememberedWrites}],
       written_versions = (${version} || ${row}.written_versions)[1:${rememberedWrites}]`;
  const unclaimed = 'owner = null, lease_until = null';

  return {
    read: `
select ${record('found')} from (
  select *, clock_timestamp() as now from ${table} where grant_id = $1 and ${isThere}
) as found`,

    // $2 generation, $3 payload, $4 to $7 labels, $8 softMs, $9 hardMs, $10 holder, $11 holderMs, $12 name of this write
    create: `
with before as (
  select schema_version, ${writtenBefore('stored')} as written_version from ${table} as stored where grant_id = $1
), decided as materialized (
  select clock_timestamp() as now
), written as (
  insert into ${table} as stored (
    grant_id, schema_version, generation, version, state, payload, organization_id, user_id, client_id, tenant,
    soft_at, hard_at, state_since, failures, holders, held_until, refreshed_at, expires_at, writers, written_versions
  )
  select $1, ${grantSchema}, $2, 1, 'idle', $3, $4, $5, $6, $7,
    ${later('$8')}, ${later('$9')}, decided.now, 0, ${session('$10', '$11')}, ${later('$11')}, decided.now,
    ${retained(later('$11'), 'decided.now')}, array[$12::text], array[1::bigint]
  from decided
  on conflict (grant_id) do update set
    generation = excluded.generation, state = excluded.state, payload = excluded.payload,
    version = case when stored.expires_at > clock_timestamp() then stored.version + 1 else 1 end,
    ${remembered('stored', 'case when stored.expires_at > clock_timestamp() then stored.version + 1 else 1 end')},
    organization_id = excluded.organization_id, user_id = excluded.user_id, client_id = excluded.client_id,
    tenant = excluded.tenant, soft_at = excluded.soft_at, hard_at = excluded.hard_at, owner = null, lease_until = null,
    next_try_at = null, state_since = excluded.state_since, failures = 0, error_code = null, error_since = null, refused = null, spare = null,
    holders = excluded.holders, forgotten_until = null, held_until = excluded.held_until,
    refreshed_at = excluded.refreshed_at, taken_until = null, expires_at = excluded.expires_at
  where stored.schema_version = ${grantSchema} and (
    stored.expires_at <= clock_timestamp() or (stored.state = 'loggedOut' and $12::text <> all (stored.writers))
  )
  returning version${tells()}
), ${forgotten}
select 'written' as outcome, ${grantSchema} as schema_version, version from written
union all
-- The same call again, its first answer having been lost.
select case when written_version is null then 'conflict' else 'written again' end, schema_version, written_version
from before where not exists (select from written)`,

    // as create, then $13 expected generation, $14 expected version, $15 spare tokens the caller knows
    replace: step({
      outcome: `when $12::text = any (writers) then 'written again'
       when state <> 'loggedOut' and generation = $13 and version = $14 then 'written' else 'conflict'`,
      changes: `generation = $2, version = decided.version + 1,
       ${remembered('decided', 'decided.version + 1')}, state = 'idle', payload = $3,
       organization_id = $4, user_id = $5, client_id = $6, tenant = $7, soft_at = ${later('$8')}, hard_at = ${later('$9')},
       ${unclaimed}, next_try_at = null, state_since = decided.now, failures = 0, error_code = null, error_since = null, refused = null, spare = nullif(decided.spare, $15::text),
       ${holding('$10', '$11')}, refreshed_at = decided.now, taken_until = null,
       expires_at = ${retained(`decided.held_until, ${later('$11')}`, 'decided.now')}`,
      writes: `decided.outcome = 'written'`,
      result: `select decided.outcome, decided.schema_version, coalesce(changed.version, ${writtenBefore('decided')}) as version
       from decided left join changed on true`,
      told: tells(),
    }),

    // $2 generation, $3 version, $4 owner, $5 leaseMs, $6 digest of an access token that was refused
    claim: step({
      outcome: `when state = 'loggedOut' or generation <> $2 then 'loggedOut'
       when version <> $3 then 'moved'
       when state = 'ended' then 'ended'
       -- The same call again, sent anew because its first answer was lost.
       when lease_until > now and owner = $4 then case state when 'presenting' then 'claimed again' else 'resolve again' end
       when lease_until > now then 'busy'
       when next_try_at > now then 'backoff'
       -- Its owner died, or is paused, with the refresh token perhaps on the wire.
       when state in ('presenting', 'inDoubt') then 'resolve'
       else 'claimed'`,
      changes: `state = case when ${enters} then case decided.outcome when 'claimed' then 'presenting' else 'inDoubt' end
         else decided.state end,
       state_since = case when ${enters} and decided.state <> 'inDoubt' then decided.now else decided.state_since end,
       owner = case when ${takes} then $4 else decided.owner end,
       lease_until = case when ${takes} then ${later('$5')} else decided.lease_until end,
       refused = coalesce($6::text, decided.refused)`,
      writes: `(${enters} or ${isRefused})`,
      result: `select answer.outcome, ${record('answer')}${tellsOf('answer.grant_id', isRefused)} from decided, (
         select * from changed union all select * from decided where not exists (select from changed)
       ) as answer`,
    }),

    // $2 generation, $3 owner, $4 leaseMs
    renew: step({
      outcome: `when ${owned} then 'yes' else 'no'`,
      changes: `lease_until = ${later('$4')}`,
      writes: `decided.outcome = 'yes'`,
      result: decision,
    }),

    arm: step({
      outcome: `when ${owned} and state = 'inDoubt' then 'yes'
       -- The same call again. It does not extend the lease.
       when ${owned} and state = 'presenting' and lease_until > now then 'yes again'
       else 'no'`,
      changes: `state = 'presenting', state_since = decided.now, lease_until = ${later('$4')}`,
      writes: `decided.outcome = 'yes'`,
      result: decision,
    }),

    // $2 generation, $3 owner, $4 version, $5 state, $6 backoffMs, $7 failed, $8 error code
    releaseClaim: step({
      outcome: `when generation <> $2 then 'no'
       -- The attempt a logout waits for has ended.
       when state = 'loggedOut' then case when owner = $3 then 'unclaimed' else 'no' end
       when version = $4 and ($5::text = 'ended' or owner = $3) then 'yes'
       else 'no'`,
      changes:
        ['state', 'state_since', 'next_try_at', 'failures', 'error_code', 'error_since']
          .map((column) => {
            const settled = {
              state: '$5::text',
              state_since: 'case when decided.state = $5::text then decided.state_since else decided.now end',
              next_try_at: later('$6'),
              failures: 'case when $7::boolean then decided.failures + 1 else 0 end',
              error_code: '$8::text',
              error_since:
                'case when decided.error_code is not distinct from $8::text then decided.error_since else decided.now end',
            }[column];
            return `${column} = case decided.outcome when 'yes' then ${settled ?? ''} else decided.${column} end, `;
          })
          .join('') + unclaimed,
      writes: `decided.outcome in ('yes', 'unclaimed')`,
      result: decision,
      told: tells(),
    }),

    // $2 generation, $3 version, $4 payload, $5 softMs, $6 hardMs, $7 spare tokens the caller knows
    commit: step({
      outcome: `when state = 'loggedOut' or generation <> $2 then 'loggedOut'
       when version = $3 then 'committed'
       -- The same call again, its first answer having been lost.
       when version = $3::bigint + 1 and payload = $4 then 'committed again'
       else 'moved'`,
      changes: `state = 'idle', state_since = decided.now, ${unclaimed}, version = decided.version + 1, payload = $4,
       soft_at = ${later('$5')}, hard_at = ${later('$6')}, next_try_at = null, failures = 0, error_code = null,
       error_since = null, refused = null, spare = nullif(decided.spare, $7::text),
       refreshed_at = decided.now, expires_at = ${retained('decided.held_until', 'decided.now')}`,
      writes: `decided.outcome = 'committed'`,
      result: decision,
      told: tells(),
    }),

    // $2 generation, $3 holder, $4 holderMs, $5 spare tokens
    addHolder: step({
      outcome: `when state <> 'loggedOut' and generation = $2 then 'yes' else 'no'`,
      changes: `${holding('$3', '$4')}, spare = coalesce($5::text, decided.spare),
       expires_at = ${retained(`decided.held_until, ${later('$4')}`, 'decided.refreshed_at')}`,
      writes: `decided.outcome = 'yes'`,
      result: decision,
    }),

    // $2 generation, $3 holder, $4 everywhere, $5 tombstoneMs. Owner and lease stay: they tell the logout of an attempt.
    logOut: step({
      outcome: `when state = 'loggedOut' or generation <> $2 then 'alreadyLoggedOut'
       when not $4::boolean and (
         forgotten_until > now or ${heldOnly('before')} - coalesce($3::text, '') <> '{}'
       ) then 'holderRemoved'
       when version <> $6::bigint then 'moved'
       else 'loggedOut'`,
      changes: `holders = case decided.outcome when 'loggedOut' then '{}' else ${heldOnly('decided')} - coalesce($3::text, '') end,
       forgotten_until = case decided.outcome when 'loggedOut' then null else decided.forgotten_until end,
       state = case decided.outcome when 'loggedOut' then 'loggedOut' else decided.state end,
       state_since = case decided.outcome when 'loggedOut' then decided.now else decided.state_since end,
       payload = case decided.outcome when 'loggedOut' then '' else decided.payload end,
       spare = case decided.outcome when 'loggedOut' then null else decided.spare end,
       expires_at = case decided.outcome when 'loggedOut' then ${later('$5')} else decided.expires_at end`,
      writes: `decided.outcome in ('loggedOut', 'holderRemoved')`,
      result: `, ${forgotten}
       select decided.outcome, ${record('decided')} from decided`,
      told: tells(`decided.outcome = 'loggedOut'`),
    }),

    // $2 generation, $3 version, $4 and $5 payload and spare tokens as they were read, $6 and $7 those in their place
    reseal: step({
      outcome: `when generation = $2 and version = $3 and state in ('idle', 'ended') and payload = $4
         and spare is not distinct from $5::text and (lease_until is null or lease_until <= now) then 'yes' else 'no'`,
      changes: 'payload = $6, spare = $7::text',
      writes: `decided.outcome = 'yes'`,
      result: decision,
    }),
  };
}
