-- Adds a session to the holders of a grant, or extends its time.
--
-- KEYS   1: the grant, 2: its holders
-- ARGV   1: generation, 2: holder, 3: ms for which it holds the grant, 4: ms of retention, 5: most holders
--        6: spare tokens, empty for none
-- Reply  {'yes'}, or {'no'} if that generation is logged out
if not is_live() or not is_of(ARGV[1]) then return {'no'} end
local held = add_holder(ARGV[2], ARGV[3], tonumber(ARGV[5]))
if ARGV[6] ~= '' then set('spare', ARGV[6]) end
save()
keep_until(held, time_of('refreshedAt'), ARGV[4])
return {'yes'}
