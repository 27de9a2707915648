import { scriptOf, type Script } from './script';

/** A claim is a hash that ends with its time to live: its owner and, once there is one, the result and until when it is given. */
export const oneTimeClaimScripts = {
  /** KEYS: the claim, a hash. ARGV: owner, life in ms. Replies `claimed`, or `taken` with the result if there is one. */
  claimOnce: scriptOf(`
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
return {'taken'}`),

  /** KEYS: the claim. ARGV: owner, result, how long it is kept in ms. Replies `yes` or `no`. */
  resolveClaim: scriptOf(`
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return {'no'} end
local time = redis.call('TIME')
local until_ms = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'result', ARGV[2], 'resultUntil', string.format('%.0f', until_ms))
return {'yes'}`),
} satisfies Record<string, Script>;
