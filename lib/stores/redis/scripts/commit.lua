-- Stores refreshed tokens, if the version is still the one they were refreshed from. The owner is not asked.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: version, 3: payload, 4: ms to the soft and 5: to the hard bound, empty for never
--        6: ms of retention, 7: channel, empty for none, 8: spare tokens the caller knows, empty for none
-- Reply  {'committed'}, {'moved'} or {'loggedOut'}
local generation, version, payload = ARGV[1], ARGV[2], ARGV[3]
if not is_live() or not is_of(generation) then return {'loggedOut'} end
local next_version = whole(tonumber(version) + 1)
if grant.version ~= version then
  -- The same call again, its first answer having been lost.
  if grant.version == next_version and grant.payload == payload then
    write_again()
    return {'committed'}
  end
  return {'moved'}
end
enter('idle')
clear_claim()
set('version', next_version)
set('server', server_run())
set('payload', payload)
set('softAt', after(ARGV[4]))
set('hardAt', after(ARGV[5]))
clear_errors()
if grant.spare == ARGV[8] then set('spare', '') end
set('refreshedAt', whole(now))
save()
keep_until(time_of('heldUntil'), now, ARGV[6])
tell(ARGV[7])
return {'committed'}
