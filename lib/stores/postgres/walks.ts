import { grantSchema } from '../stored-grant';
import { epochMs, isThere, record } from './expressions';

/** The SQL that walks over many grants, in pages. It needs neither a transaction nor a session. */
export interface WalkStatements {
  take: string;
  list: string;
}

/** @param table checked and quoted */
export function walkStatements(table: string): WalkStatements {
  return {
    // $1 idleMs, $2 takenMs, $3 how many, $4 and $5 refreshed_at and id of the last grant before, or null and ''
    take: `
with found as materialized (
  select grant_id from ${table}
  where refreshed_at <= clock_timestamp() - $1::float8 * interval '1 millisecond'
    and state in ('idle', 'presenting', 'inDoubt') and soft_at is not null and schema_version = ${grantSchema}
    and expires_at > clock_timestamp() and (taken_until is null or taken_until <= clock_timestamp())
    and refreshed_at >= coalesce($4::timestamptz, '-infinity')
    and (refreshed_at, grant_id) > (coalesce($4::timestamptz, '-infinity'), $5::text)
  order by refreshed_at, grant_id limit $3 for update skip locked
), taken as (
  update ${table} as stored set taken_until = clock_timestamp() + $2::float8 * interval '1 millisecond'
  from found where stored.grant_id = found.grant_id
  returning stored.schema_version, stored.grant_id, stored.generation, stored.refreshed_at,
    greatest(0, ${epochMs('(clock_timestamp() - stored.held_until)')}) as unheld_ms
)
select schema_version, grant_id, generation, refreshed_at::text as refreshed_at, unheld_ms
from taken order by taken.refreshed_at, grant_id`,

    // $1 to $4 labels or null, $5 the last id of the page before, $6 page size
    list: `
select ${record('found')} from (
  select *, clock_timestamp() as now from ${table}
  where state <> 'loggedOut' and grant_id > $5 and ${isThere}
    and ($1::text is null or organization_id = $1) and ($2::text is null or user_id = $2)
    and ($3::text is null or client_id = $3) and ($4::text is null or tenant = $4)
  order by grant_id limit $6
) as found
order by found.grant_id`,
  };
}
