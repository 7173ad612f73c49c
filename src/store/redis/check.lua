-- KEYS: one key of the self-test. ARGV: the commands that a store and the self-test need.
-- Returns those that this user may not run. If there are none, writes, and returns the server's
-- time, too, in seconds.
local lacks = {}
for _, command in ipairs(ARGV) do
  local may
  if command == 'XREAD' then
    may = redis.acl_check_cmd(command, 'STREAMS', KEYS[1], '0')
  else
    may = redis.acl_check_cmd(command, KEYS[1])
  end
  if not may then
    lacks[#lacks + 1] = command
  end
end
if #lacks > 0 then
  return { lacks, 0 }
end
local now = redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'PX', 1000)
redis.call('DEL', KEYS[1])
return { lacks, tonumber(now[1]) }
