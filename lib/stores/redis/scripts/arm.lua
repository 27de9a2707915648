-- Turns the claim of a grant in doubt into one that may present.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: owner, 3: ms of the lease
-- Reply  {'yes'}, or {'no'} if the owner has no claim any more, or the grant is not in doubt
if not is_owned(ARGV[1], ARGV[2]) or grant.state ~= 'inDoubt' then return {'no'} end
enter('presenting')
set('leaseUntil', after(ARGV[3]))
save()
return {'yes'}
