-- What every script of a grant begins with. scripts.ts puts it after a line that sets two locals:
--   names   the fields of a record, in the order in which replies have them
--   schema  the form of the records that this version of the package knows
--
-- KEYS  1: the grant, a hash; 2: its holders, a sorted set of name and end (only if the script says so)
-- A record of another schema ends the script: {'schema', <its schema, or none>}.
--
-- Points in time are whole milliseconds of the server's clock. A field without a value is an empty text.
local key = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local values = redis.call('HMGET', key, unpack(names))
local grant
if values[1] == schema then
  grant = {}
  for index, name in ipairs(names) do grant[name] = values[index] or '' end
elseif values[1] or redis.call('EXISTS', key) == 1 then
  return {'schema', values[1] or 'none'}
end
-- Numbers leave Lua as texts: %.0f keeps every digit, and Lua's own conversion keeps fourteen.
local function whole(number) return string.format('%.0f', number) end
local changes = {}
local function set(name, value)
  grant[name] = value
  changes[#changes + 1] = name
  changes[#changes + 1] = value
end
local function save() if #changes > 0 then redis.call('HSET', key, unpack(changes)) end end
-- For a call that comes again, on another connection. WAIT asks the replicas for the last write of its connection, so without a
-- write it would not wait for the write of the first call.
local function write_again() redis.call('HSET', key, 'schema', schema) end
local function after(ms) if ms == '' then return '' end return whole(now + tonumber(ms)) end
local function enter(state) set('state', state) set('stateSince', whole(now)) end
local function clear_claim() set('owner', '') set('leaseUntil', '0') end
local none = {nextTryAt = '0', failures = '0', errorCode = '', errorSince = '0', refused = ''}
local function clear_errors() for name, value in pairs(none) do set(name, value) end end
-- Changes with a failover and with a restart. Empty if this user may not ask for it.
local function server_run()
  local info = redis.pcall('INFO', 'server')
  return type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
end
local function is_live() return grant and grant.state ~= 'loggedOut' end
local function is_of(generation) return grant and grant.generation == generation end
local function is_owned(generation, owner) return is_of(generation) and grant.owner == owner and owner ~= '' end
-- A reply with a record: the outcome, the time, and the fields.
local function answer(outcome)
  local reply = {outcome, whole(now)}
  for _, name in ipairs(names) do reply[#reply + 1] = grant[name] end
  return reply
end
local function time_of(name) return tonumber(redis.call('HGET', key, name) or '0') end
local holders = KEYS[2]
local function drop_ended_holders() redis.call('ZREMRANGEBYSCORE', holders, '-inf', whole(now)) end
-- Makes room for one more holder. Those that end soonest are forgotten, and the grant remembers until when they would have
-- held it.
local function forget_holders(most)
  local excess = redis.call('ZCARD', holders) - (most - 1)
  if excess <= 0 then return end
  local last = redis.call('ZRANGE', holders, excess - 1, excess - 1, 'WITHSCORES')[2]
  set('forgottenUntil', whole(math.max(time_of('forgottenUntil'), tonumber(last))))
  redis.call('ZREMRANGEBYRANK', holders, 0, excess - 1)
end
-- Adds a session, or extends its time. Returns until when the grant has a holder.
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
-- Tells other processes. It is a hint: an error of it must not undo the write.
local function tell(channel)
  if channel ~= '' then redis.pcall('PUBLISH', channel, string.match(key, '{([^{}]*)}$')) end
end
