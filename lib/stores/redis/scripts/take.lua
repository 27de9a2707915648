-- Takes a grant that was not refreshed for a while, so that one process alone keeps it alive.
--
-- KEYS   1: the grant
-- ARGV   1: ms since the last refresh, 2: ms for which no other process gets it
-- Reply  {'yes', <generation>, <ms since its last holder's time ended>} or {'no'}
local idle_ms, taken_ms = tonumber(ARGV[1]), ARGV[2]
if not is_live() or grant.state == 'ended' or grant.softAt == '' then return {'no'} end
if time_of('refreshedAt') > now - idle_ms or time_of('takenUntil') > now then return {'no'} end
set('takenUntil', after(taken_ms))
save()
return {'yes', grant.generation, whole(math.max(0, now - time_of('heldUntil')))}
