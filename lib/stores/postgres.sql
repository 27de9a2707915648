-- The tables of PostgresTokenStore (express-salesforce-auth), for PostgreSQL 12 or later.
--
-- Run this file once, with your migration tool or with psql; the package itself never creates or changes tables. Use another name
-- or schema as you like and pass the first one as the option `table`; the second one has the same name with _once after it.
-- The application's role needs no more than
--   grant select, insert, update, delete on salesforce_grants, salesforce_grants_once to <role>;
--
-- Migrations: a later version of the package that needs another form brings a file of its own beside this one, and says so
-- in its changelog. Rows say in schema_version which form they have. A version of the package refuses rows of a form it does
-- not know, and changes none of them: run the migration before the first process of the new version starts, and never edit
-- schema_version by hand.
--
-- Keep synchronous_commit on (the default): a refreshed token must survive a crash of the server. Rows that are over
-- (expires_at: tombstones of logouts, and grants abandoned for the option retentionMs) are removed a few at a time by later
-- logins and logouts.

create table salesforce_grants (
  grant_id text primary key,
  schema_version integer not null,
  generation text not null,
  version bigint not null,
  -- Names of the last writes of logins, the newest first, and the versions that they wrote. A write that is sent twice is known by
  -- its name.
  writers text[] not null,
  written_versions bigint[] not null,
  state text not null check (state in ('idle', 'presenting', 'inDoubt', 'ended', 'loggedOut')),
  -- The tokens, sealed with encryptionKeys; empty in a tombstone.
  payload text not null,
  organization_id text not null,
  user_id text not null,
  client_id text not null,
  tenant text,
  -- When the tokens should be refreshed, and when they are to be taken for expired.
  soft_at timestamptz,
  hard_at timestamptz,
  -- The process that presents the refresh token, and until when it may be believed to.
  owner text,
  lease_until timestamptz,
  next_try_at timestamptz,
  state_since timestamptz not null,
  failures integer not null,
  error_code text,
  error_since timestamptz,
  -- Digest of the access token, if Salesforce's API has refused it.
  refused text,
  -- Sealed tokens of a later login that can do less, until the grant's own have been refreshed.
  spare text,
  -- Sessions that hold the grant: name -> end, in milliseconds since the epoch.
  holders jsonb not null,
  -- When the last of the holders ends or ended that the grant no longer knows, because there were too many.
  forgotten_until timestamptz,
  -- When the last holder's time ends or ended.
  held_until timestamptz not null,
  refreshed_at timestamptz not null,
  -- Until when the row is one process's to keep alive (takeIdle).
  taken_until timestamptz,
  -- When the row may be forgotten.
  expires_at timestamptz not null
) with (fillfactor = 70);

create index salesforce_grants_owner_idx on salesforce_grants (organization_id, user_id);
create index salesforce_grants_refreshed_at_idx on salesforce_grants (refreshed_at);
create index salesforce_grants_expires_at_idx on salesforce_grants (expires_at);

-- Claims of keys that one caller gets, such as the authorization code of a login. Rows that are over are removed a few at a
-- time by later claims.
create table salesforce_grants_once (
  claim_key text primary key,
  owner text not null,
  -- What the owner stored for the other callers, sealed, and until when they get it.
  result text,
  result_ends_at timestamptz,
  -- Until when the key is taken.
  ends_at timestamptz not null
);

create index salesforce_grants_once_ends_at_idx on salesforce_grants_once (ends_at);
