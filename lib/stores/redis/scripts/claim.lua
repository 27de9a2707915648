-- Takes the right to present the refresh token, and marks the grant as being presented.
--
-- KEYS   1: the grant
-- ARGV   1: generation, 2: version, 3: owner, 4: ms of the lease, 5: '1' to notice that the server is another one or restarted
--        6: digest of an access token that was refused, empty for none, 7: channel, empty for none
-- Reply  {'loggedOut'}, or {<outcome>, <time>, <field> ...} with one of
--        moved, ended, busy, backoff, resolve, claimed
local generation, version, owner, lease_ms, detects = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5] == '1'
if not is_live() or not is_of(generation) then return {'loggedOut'} end
if grant.version ~= version then return answer('moved') end
if ARGV[6] ~= '' and grant.refused ~= ARGV[6] then
  redis.call('HSET', key, 'refused', ARGV[6])
  grant.refused = ARGV[6]
  tell(ARGV[7])
end
if grant.state == 'ended' then return answer('ended') end
if tonumber(grant.leaseUntil) > now then
  if grant.owner ~= owner then return answer('busy') end
  -- The same call again: the client sent it anew after a connection was lost, and the first answer with it.
  write_again()
  return answer(grant.state == 'presenting' and 'claimed' or 'resolve')
end
-- Its owner died, or is paused, with the refresh token perhaps on the wire.
if grant.state == 'presenting' then enter('inDoubt') end
local run = server_run()
if grant.server ~= run then
  -- Another server, or this one restarted: the last write or claim may be lost, and the refresh token spent.
  if detects and grant.server ~= '' and run ~= '' and grant.state == 'idle' then enter('inDoubt') end
  set('server', run)
end
local outcome = 'backoff'
if tonumber(grant.nextTryAt) <= now then
  outcome = 'resolve'
  if grant.state ~= 'inDoubt' then
    outcome = 'claimed'
    enter('presenting')
  end
  set('owner', owner)
  set('leaseUntil', after(lease_ms))
end
save()
return answer(outcome)
