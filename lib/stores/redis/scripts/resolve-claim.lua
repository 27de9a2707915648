-- Stores the result of a claim, for the callers that did not get it.
--
-- KEYS   1: the claim
-- ARGV   1: owner, 2: result, 3: ms for which it is kept
-- Reply  {'yes'}, or {'no'} if the claim has ended or is another owner's
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return {'no'} end
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'result', ARGV[2], 'resultUntil', string.format('%.0f', until_ms))
return {'yes'}
