import { grantSchema } from '../stored-grant';
import { fieldNames } from './fields';
import { oneTimeClaimScripts } from './one-time-claims';
import { scriptOf, type Script } from './script';

/** Numbers leave Lua as texts: `%.0f` keeps every digit of them, where Lua's own conversion keeps fourteen. */
const prelude = `
local names = {${fieldNames.map((name) => `'${name}'`).join(', ')}}
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local values = redis.call('HMGET', key, unpack(names))
local grant
if values[1] == '${grantSchema}' then
  grant = {}
  for index, name in ipairs(names) do grant[name] = values[index] or '' end
elseif values[1] or redis.call('EXISTS', key) == 1 then
  return {'schema', values[1] or 'none'}
end
local function whole(number) return string.format('%.0f', number) end
local changes = {}
local function set(name, value)
  grant[name] = value
  changes[#changes + 1] = name
  changes[#changes + 1] = value
end
local function save() if #changes > 0 then redis.call('HSET', key, unpack(changes)) end end
local function after(ms) if ms == '' then return '' end return whole(now + tonumber(ms)) end
local function enter(state) set('state', state) set('stateSince', whole(now)) end
local function unclaim() set('owner', '') set('leaseUntil', '0') end
local none = {nextTryAt = '0', failures = '0', errorCode = '', errorSince = '0', refused = ''}
local function clear_errors() for name, value in pairs(none) do set(name, value) end end
-- Changes with a failover and with a restart. What may be forbidden to this user, or hidden, detects nothing.
local function server_run()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
end
local function is_live() return grant and grant.state ~= 'loggedOut' end
local function is_of(generation) return grant and grant.generation == generation end
local function is_owned(generation, owner) return is_of(generation) and grant.owner == owner and owner ~= '' end
local function answer(outcome)
  local reply = {outcome, whole(now)}
  for _, name in ipairs(names) do reply[#reply + 1] = grant[name] end
  return reply
end
local function time_of(name) return tonumber(redis.call('HGET', key, name) or '0') end
-- The sessions that use the grant, a sorted set of name and end. Some scripts only get its key.
local holders = KEYS[2]
local function drop_ended_holders() redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now)) end
-- Makes room for one more. Those that end soonest are forgotten, and the grant remembers until when they would have held it.
local function forget_holders(most)
  local excess = redis.call('ZCARD', holders) - (most - 1)
  if excess <= 0 then return end
  local last = redis.call('ZRANGE', holders, excess - 1, excess - 1, 'WITHSCORES')[2]
  set('forgottenUntil', whole(math.max(time_of('forgottenUntil'), tonumber(last))))
  redis.call('ZREMRANGEBYRANK', holders, 0, excess - 1)
end
-- Returns until when the grant has a holder.
local function add_holder(name, ms, most)
  if not redis.call('ZSCORE', holders, name) then
    drop_ended_holders()
    forget_holders(most)
  end
  redis.call('ZADD', holders, after(ms), name)
  local held = math.max(time_of('heldUntil'), now + tonumber(ms))
  set('heldUntil', whole(held))
  redis.call('PEXPIREAT', holders, whole(held))
  return held
end
local function keep_until(held, refreshed, retention_ms)
  redis.call('PEXPIREAT', key, whole(math.max(held, refreshed) + tonumber(retention_ms)))
end
-- For other processes. A hint: what is wrong with it must not undo the write.
local function tell(channel)
  if channel ~= '' then redis.pcall('PUBLISH', channel, string.match(key, '{([^{}]*)}$')) end
end
`;

function script(body: string): Script {
  return scriptOf(prelude + body);
}

export const scripts = {
  read: script(`
if not grant then return {'none'} end
return answer('found')`),

  put: script(`
local kind, expected_generation, expected_version = ARGV[1], ARGV[2], ARGV[3]
local live = is_live()
if kind == 'new' then
  if live then return {'conflict'} end
elseif not (live and grant.generation == expected_generation and grant.version == expected_version) then
  return {'conflict'}
end
local version = grant and whole(tonumber(grant.version) + 1) or '1'
if not live then
  -- A tombstone goes with all that was known of its holders, and with its time to live.
  redis.call('DEL', key, holders)
  grant = {}
end
set('schema', '${grantSchema}')
set('generation', ARGV[4])
set('version', version)
enter('idle')
set('payload', ARGV[5])
set('labels', ARGV[6])
set('softAt', after(ARGV[7]))
set('hardAt', after(ARGV[8]))
unclaim()
clear_errors()
if not live or grant.spare == ARGV[14] then set('spare', '') end
set('server', server_run())
local held = add_holder(ARGV[9], ARGV[10], tonumber(ARGV[13]))
set('refreshedAt', whole(now))
set('takenUntil', '0')
save()
keep_until(held, now, ARGV[11])
tell(ARGV[12])
return {'written', version}`),

  claim: script(`
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
return answer(outcome)`),

  /** Takes back a claim that too few replicas have seen, before anything was presented. */
  unclaim: script(`
if not is_live() or not is_owned(ARGV[1], ARGV[2]) or grant.state ~= 'presenting' then return {'no'} end
enter('idle')
unclaim()
save()
tell(ARGV[3])
return {'yes'}`),

  renew: script(`
if not is_owned(ARGV[1], ARGV[2]) then return {'no'} end
set('leaseUntil', after(ARGV[3]))
save()
return {'yes'}`),

  arm: script(`
if not is_owned(ARGV[1], ARGV[2]) or grant.state ~= 'inDoubt' then return {'no'} end
enter('presenting')
set('leaseUntil', after(ARGV[3]))
save()
return {'yes'}`),

  releaseClaim: script(`
local generation, version, owner, state = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not is_of(generation) then return {'no'} end
if grant.state == 'loggedOut' then
  -- The attempt a logout waits for has ended.
  if is_owned(generation, owner) then
    unclaim()
    save()
    tell(ARGV[8])
  end
  return {'no'}
end
if grant.version ~= version or not (state == 'ended' or is_owned(generation, owner)) then return {'no'} end
if grant.state ~= state then enter(state) end
unclaim()
set('nextTryAt', after(ARGV[5]))
set('failures', ARGV[6] == '1' and whole(tonumber(grant.failures) + 1) or '0')
if grant.errorCode ~= ARGV[7] then set('errorSince', whole(now)) set('errorCode', ARGV[7]) end
save()
tell(ARGV[8])
return {'yes'}`),

  commit: script(`
local generation, version, payload = ARGV[1], ARGV[2], ARGV[3]
if not is_live() or not is_of(generation) then return {'loggedOut'} end
local next_version = whole(tonumber(version) + 1)
if grant.version ~= version then
  -- The same call again, its first answer having been lost.
  if grant.version == next_version and grant.payload == payload then return {'committed'} end
  return {'moved'}
end
enter('idle')
unclaim()
set('version', next_version)
set('server', server_run())
set('payload', payload)
set('softAt', after(ARGV[4]))
set('hardAt', after(ARGV[5]))
clear_errors()
if grant.spare == ARGV[8] then set('spare', '') end
set('refreshedAt', whole(now))
save()
keep_until(time_of('heldUntil'), now, ARGV[6])
tell(ARGV[7])
return {'committed'}`),

  addHolder: script(`
if not is_live() or not is_of(ARGV[1]) then return {'no'} end
local held = add_holder(ARGV[2], ARGV[3], tonumber(ARGV[5]))
if ARGV[6] ~= '' then set('spare', ARGV[6]) end
save()
keep_until(held, time_of('refreshedAt'), ARGV[4])
return {'yes'}`),

  logOut: script(`
local generation, kind, holder, everywhere, tombstone_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if not is_live() or not is_of(generation) then return {'alreadyLoggedOut'} end
drop_ended_holders()
local own = kind == 'one' and redis.call('ZSCORE', holders, holder) and 1 or 0
local is_held = redis.call('ZCARD', holders) > own or time_of('forgottenUntil') > now
if is_held and everywhere == '0' then
  if own == 1 then redis.call('ZREM', holders, holder) end
  return {'holderRemoved'}
end
if ARGV[7] ~= '' and ARGV[7] ~= grant.version then return {'moved'} end
local last = answer('loggedOut')
redis.call('DEL', holders)
set('forgottenUntil', '0')
-- Owner and lease stay: they tell the logout whether to wait for an attempt.
enter('loggedOut')
set('payload', '')
set('spare', '')
save()
redis.call('PEXPIRE', key, tombstone_ms)
tell(ARGV[6])
return last`),

  take: script(`
local idle_ms, taken_ms = tonumber(ARGV[1]), ARGV[2]
if not is_live() or grant.state == 'ended' or grant.softAt == '' then return {'no'} end
if time_of('refreshedAt') > now - idle_ms or time_of('takenUntil') > now then return {'no'} end
set('takenUntil', after(taken_ms))
save()
return {'yes', grant.generation, whole(math.max(0, now - time_of('heldUntil')))}`),

  ...oneTimeClaimScripts,
} satisfies Record<string, Script>;
