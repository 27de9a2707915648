-- Takes a claim back that too few replicas have seen. Nothing was presented under it.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: owner, 3: channel, empty for none
-- Reply  {'yes'} or {'no'}
if not is_live() or not is_owned(ARGV[1], ARGV[2]) or grant.state ~= 'presenting' then return {'no'} end
enter('idle')
clear_claim()
save()
tell(ARGV[3])
return {'yes'}
