-- Turns the claim of a grant in doubt into one that may present.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: owner, 3: ms of the lease
-- Reply  {'yes'}, or {'no'} if the owner has no claim any more
if not is_owned(ARGV[1], ARGV[2]) then return {'no'} end
-- The same call again, its first answer having been lost. It does not extend the lease.
if grant.state == 'presenting' and tonumber(grant.leaseUntil) > now then
  write_again()
  return {'yes'}
end
if grant.state ~= 'inDoubt' then return {'no'} end
enter('presenting')
set('leaseUntil', after(ARGV[3]))
save()
return {'yes'}
