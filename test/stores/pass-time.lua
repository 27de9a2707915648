-- Moves every time in a key back, and its time to live with them: time passes for the store alone.
-- KEYS 1: the key
-- ARGV 1: milliseconds
local ms = tonumber(ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left >= 0 then redis.call('PEXPIRE', KEYS[1], left - ms) end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'zset' then
  local members = redis.call('ZRANGE', KEYS[1], 0, -1)
  for _, member in ipairs(members) do redis.call('ZINCRBY', KEYS[1], -ms, member) end
end
if kind ~= 'hash' then return end
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local name, value = all[index], tonumber(all[index + 1])
  local is_time = string.match(name, 'At$') or string.match(name, 'Until$') or string.match(name, 'Since$')
  if value and value ~= 0 and is_time then
    redis.call('HSET', KEYS[1], name, string.format('%.0f', value - ms))
  end
end
