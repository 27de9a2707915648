-- Removes a session from the holders. If no other is left, or everywhere is set, the grant becomes a tombstone.
--
-- KEYS   1: the grant, 2: its holders
-- ARGV   1: generation, 2: 'one' if a holder is given, else 'none', 3: holder, 4: '1' for everywhere, 5: ms of the tombstone
--        6: channel, empty for none, 7: version that the caller read, empty for any
-- Reply  {'loggedOut', <time>, <field> ...} with the last record, or one of
--        {'holderRemoved'}, {'moved'}, {'alreadyLoggedOut'}
local generation, kind, holder, everywhere, tombstone_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not is_live() or not is_of(generation) then return {'alreadyLoggedOut'} end
drop_ended_holders()
local own = kind == 'one' and redis.call('ZSCORE', holders, holder) and 1 or 0
local is_held = redis.call('ZCARD', holders) > own or time_of('forgottenUntil') > now
if is_held and everywhere == '0' then
  if own == 1 then redis.call('ZREM', holders, holder) end
  return {'holderRemoved'}
end
if ARGV[7] ~= '' and ARGV[7] ~= grant.version then return {'moved'} end
local last = answer('loggedOut')
redis.call('DEL', holders)
set('forgottenUntil', '0')
-- Owner and lease stay: they tell the logout whether to wait for an attempt.
enter('loggedOut')
set('payload', '')
set('spare', '')
save()
redis.call('PEXPIRE', key, tombstone_ms)
tell(ARGV[6])
return last
