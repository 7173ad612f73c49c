-- Puts revocations back without the stream: whoever was here before loads all of them again, since
-- `restored` has changed.
--
-- ARGV  the restorer's id; then of each revocation: kind, name, at, until
local time = now()
-- Whoever was given up for gone stops: others may have loaded everything since.
local heard = tonumber(redis.call('HGET', state, 'restoring') or '0')
if redis.call('HGET', state, 'restorer') ~= ARGV[1] or time - heard >= PATIENCE then
  return redis.error_reply('this replica does not restore')
end
for i = 2, #ARGV, 4 do
  local kind, name, at, till = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local field, stored = kind .. name, true
  local member = field
  if kind ~= 's' then
    local known = redis.call('HGET', groups, field)
    if known and tonumber(known) > tonumber(at) then
      stored = false
    else
      if known then redis.call('ZREM', entries, kind .. known .. ':' .. name) end
      redis.call('HSET', groups, field, at)
      member = kind .. at .. ':' .. name
    end
  end
  if stored then redis.call('ZADD', entries, 'GT', till, member) end
end
redis.call('HSET', state, 'restoring', time, 'b:' .. ARGV[1], time)
return #ARGV
