import { grantSchema } from '../stored-grant';
/** Parts of statements that several of them share. `decided` is the row as a statement finds it. */
export const later = (ms: string): string => `decided.now + ${ms}::float8 * interval '1 millisecond'`;

export const epochMs = (time: string): string => `extract(epoch from ${time}) * 1000`;

/** A row as a record, with durations for points in time. */
export const record = (row: string): string => {
  const inMs = (column: string): string => epochMs(`(${row}.${column} - ${row}.now)`);
  return `${row}.schema_version, ${row}.grant_id, ${row}.generation, ${row}.version, ${row}.state, ${row}.payload,
  ${row}.organization_id, ${row}.user_id, ${row}.client_id, ${row}.tenant, ${row}.failures, ${row}.error_code,
  ${row}.refused, ${row}.spare, ${inMs('error_since')} as error_since_in_ms, ${inMs('refreshed_at')} as refreshed_in_ms,
  ${inMs('soft_at')} as soft_in_ms, ${inMs('hard_at')} as hard_in_ms, ${inMs('lease_until')} as lease_in_ms,
  ${inMs('next_try_at')} as backoff_in_ms, ${inMs('state_since')} as state_since_in_ms`;
};

/** Sessions that still hold the grant. */
export const heldOnly = (row: string): string => `(
  select coalesce(jsonb_object_agg(held.key, held.value), '{}')
  from jsonb_each(${row}.holders) as held
  where held.value::text::float8 > ${epochMs(`${row}.now`)}
)`;

/** Sessions that still hold the grant, the last to end first. */
const others = (row: string): string => `
  jsonb_each(${row}.holders) as other
  where other.value::text::float8 > ${epochMs(`${row}.now`)}
  order by other.value::text::float8 desc`;

/** Adds a session that is new to the grant. If there are too many then, those that end soonest are forgotten. */
export const heldWith = (row: string, added: string, maxHolders: number): string => `(
  select coalesce(jsonb_object_agg(kept.key, kept.value), '{}')
  from (select other.key, other.value from ${others(row)} limit ${maxHolders - 1}) as kept
) || ${added}`;

/** When the last forgotten holder ends: the first one past the bound. */
export const forgottenUntil = (row: string, maxHolders: number): string => `greatest(${row}.forgotten_until, (
  select to_timestamp(other.value::text::float8 / 1000) from ${others(row)} limit 1 offset ${maxHolders - 1}
))`;

export const session = (name: string, ms: string): string =>
  `jsonb_build_object(${name}::text, ${epochMs('decided.now')} + ${ms}::float8)`;

/** A tombstone or an abandoned record whose time is over counts as no record, whether or not it has been removed. */
export const isThere: string = `(schema_version <> ${grantSchema} or expires_at > clock_timestamp())`;
