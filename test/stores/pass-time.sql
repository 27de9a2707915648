-- Moves every time in the tables back: time passes for the store alone. $1 is milliseconds. The tests put the table's name in.
update grants_table set
  soft_at = soft_at - $1 * interval '1 millisecond',
  hard_at = hard_at - $1 * interval '1 millisecond',
  lease_until = lease_until - $1 * interval '1 millisecond',
  next_try_at = next_try_at - $1 * interval '1 millisecond',
  state_since = state_since - $1 * interval '1 millisecond',
  held_until = held_until - $1 * interval '1 millisecond',
  refreshed_at = refreshed_at - $1 * interval '1 millisecond',
  taken_until = taken_until - $1 * interval '1 millisecond',
  forgotten_until = forgotten_until - $1 * interval '1 millisecond',
  expires_at = expires_at - $1 * interval '1 millisecond',
  error_since = error_since - $1 * interval '1 millisecond',
  holders = (select coalesce(jsonb_object_agg(key, value::float8 - $1), '{}') from jsonb_each_text(holders));
update grants_table_once set
  ends_at = ends_at - $1 * interval '1 millisecond',
  result_ends_at = result_ends_at - $1 * interval '1 millisecond';
