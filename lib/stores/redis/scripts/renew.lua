-- Extends the lease of a claim.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: owner, 3: ms of the lease
-- Reply  {'yes'}, or {'no'} if the owner has no claim any more
if not is_owned(ARGV[1], ARGV[2]) then return {'no'} end
set('leaseUntil', after(ARGV[3]))
save()
return {'yes'}
