-- Puts other texts in the place of the sealed tokens: the same tokens, sealed with another key.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: version, 3: payload as it was read, 4: spare tokens as they were read, 5: the payload in its place,
--        6: the spare tokens in their place; spare tokens are empty for none
-- Reply  {'yes'}, or {'no'} if the record is another by now, is in doubt, or has a claim
if not is_of(ARGV[1]) or tonumber(grant.version) ~= tonumber(ARGV[2]) then return {'no'} end
if grant.state ~= 'idle' and grant.state ~= 'ended' then return {'no'} end
if (tonumber(grant.leaseUntil) or 0) > now then return {'no'} end
if grant.payload ~= ARGV[3] or grant.spare ~= ARGV[4] then return {'no'} end
set('payload', ARGV[5])
set('spare', ARGV[6])
save()
return {'yes'}
