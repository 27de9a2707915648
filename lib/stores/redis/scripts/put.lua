-- Writes the tokens of a login, if the record is still as the caller read it.
--
-- KEYS   1: the grant, 2: its holders
-- ARGV   1: 'new' if the caller read no grant, else 'over'; 2: generation and 3: version that the caller read
--        4: generation, 5: payload, 6: labels as JSON, 7: ms to the soft and 8: to the hard bound, empty for never
--        9: holder, 10: ms for which it holds the grant, 11: ms of retention, 12: channel, empty for none, 13: most holders
--        14: spare tokens the caller knows, empty for none; 15: name of this write, 16: how many writes are remembered
-- Reply  {'written', <version>} or {'conflict'}
local kind, expected_generation, expected_version = ARGV[1], ARGV[2], ARGV[3]
-- The last writes, the newest first: a line of version and name for each.
local writes, remembered = {}, tonumber(ARGV[16])
for line in string.gmatch(redis.call('HGET', key, 'writes') or '', '[^\n]+') do
  local version, name = string.match(line, '^(%d+) (.*)$')
  if name == ARGV[15] then
    -- The same call again, its first answer having been lost.
    write_again()
    return {'written', version}
  end
  if #writes < remembered - 1 then writes[#writes + 1] = line end
end
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
set('schema', schema)
set('generation', ARGV[4])
set('version', version)
table.insert(writes, 1, version .. ' ' .. ARGV[15])
set('writes', table.concat(writes, '\n'))
enter('idle')
set('payload', ARGV[5])
set('labels', ARGV[6])
set('softAt', after(ARGV[7]))
set('hardAt', after(ARGV[8]))
clear_claim()
clear_errors()
if not live or grant.spare == ARGV[14] then set('spare', '') end
set('server', server_run())
local held = add_holder(ARGV[9], ARGV[10], tonumber(ARGV[13]))
set('refreshedAt', whole(now))
set('takenUntil', '0')
save()
keep_until(held, now, ARGV[11])
tell(ARGV[12])
return {'written', version}
