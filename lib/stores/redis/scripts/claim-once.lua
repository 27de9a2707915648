-- Gives a key to the first owner that asks. A claim is a hash that ends with its time to live.
--
-- KEYS   1: the claim
-- ARGV   1: owner, 2: ms of its life
-- Reply  {'claimed'}, {'taken'}, or {'taken', <result>} once its owner has stored one
local claim = redis.call('HMGET', KEYS[1], 'owner', 'result', 'resultUntil')
if not claim[1] then
  redis.call('HSET', KEYS[1], 'owner', ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {'claimed'}
end
if claim[1] == ARGV[1] and not claim[3] then return {'claimed'} end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if claim[2] and tonumber(claim[3]) > now then return {'taken', claim[2]} end
return {'taken'}
