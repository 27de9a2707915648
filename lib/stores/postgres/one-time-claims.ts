/**
 * The SQL for one-time claims. As with the other statements, each is one step and needs no session.
 * `$1` is the key. The time of the statement is the time of all its parts.
 */
export interface OneTimeClaimStatements {
  claimOnce: string;
  resolveClaim: string;
}

const after = (ms: string): string => `statement_timestamp() + ${ms}::float8 * interval '1 millisecond'`;

/** @param table checked and quoted */
export function oneTimeClaimStatements(table: string): OneTimeClaimStatements {
  const ifEnded = (then: string, otherwise: string): string =>
    `case when stored.ends_at <= statement_timestamp() then ${then} else ${otherwise} end`;
  return {
    // $2 owner, $3 lifeMs. A row that the snapshot does not show, but another statement has just written, is seen by the
    // update alone; so the update writes a live claim as it is.
    // `outdated` stands by itself. In the condition of the delete, the server may look for ten rows again for each row.
    claimOnce: `
with live as materialized (
  select owner, result, result_ends_at from ${table} where claim_key = $1 and ends_at > statement_timestamp()
), outdated as materialized (
  select claim_key from ${table} where ends_at <= statement_timestamp() and claim_key <> $1
  order by ends_at limit 10 for update skip locked
), forgotten as (
  delete from ${table} where claim_key in (select claim_key from outdated)
), written as (
  insert into ${table} as stored (claim_key, owner, ends_at)
  select $1, $2, ${after('$3')} where not exists (select from live)
  on conflict (claim_key) do update set
    owner = ${ifEnded('excluded.owner', 'stored.owner')}, ends_at = ${ifEnded('excluded.ends_at', 'stored.ends_at')},
    result = ${ifEnded('null', 'stored.result')}, result_ends_at = ${ifEnded('null', 'stored.result_ends_at')}
  returning owner, result, result_ends_at
)
select case when owner = $2 and result_ends_at is null then 'claimed' else 'taken' end as outcome,
  case when result_ends_at > statement_timestamp() then result end as result
from (select * from live union all select * from written) as claim`,

    // $2 owner, $3 result, $4 keptMs
    resolveClaim: `
update ${table} set result = $3, result_ends_at = ${after('$4')}
where claim_key = $1 and owner = $2 and ends_at > statement_timestamp()
returning 'yes' as outcome`,
  };
}
