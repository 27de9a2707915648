-- Ends a claim that brought no new tokens.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: version, 3: owner, 4: the state to enter, 5: ms until the next try
--        6: '1' if the try failed, 7: error code, empty for none, 8: channel, empty for none
-- Reply  {'yes'}, or {'no'} if the claim is not the owner's any more
local generation, version, owner, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not is_of(generation) then return {'no'} end
if grant.state == 'loggedOut' then
  -- The attempt a logout waits for has ended.
  if is_owned(generation, owner) then
    clear_claim()
    save()
    tell(ARGV[8])
  end
  return {'no'}
end
if grant.version ~= version or not (state == 'ended' or is_owned(generation, owner)) then return {'no'} end
if grant.state ~= state then enter(state) end
clear_claim()
set('nextTryAt', after(ARGV[5]))
set('failures', ARGV[6] == '1' and whole(tonumber(grant.failures) + 1) or '0')
if grant.errorCode ~= ARGV[7] then set('errorSince', whole(now)) set('errorCode', ARGV[7]) end
save()
tell(ARGV[8])
return {'yes'}
