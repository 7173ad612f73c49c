-- Puts revocations back without the stream: whoever was here before loads all of them again, since
-- `restored` has changed.
--
-- ARGV  the restorer's id; then of each revocation: kind, name, at, until
local time = now()
-- Whoever was given up for gone stops: others may have loaded everything since.
local heard = tonumber(redis.call('HGET', state, 'restoring') or '0')
if redis.call('HGET', state, 'restorer') ~= ARGV[1] or math.abs(time - heard) >= PATIENCE then
  return redis.error_reply('this replica does not restore')
end
for i = 2, #ARGV, 4 do
  local kind, name, at, till = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local field = kind .. name
  local member = field
  if kind ~= 's' then
    -- Of what is stored and what is put back, the later of each moment: neither knows both.
    local known = redis.call('HGET', groups, field)
    if known then
      local old = kind .. known .. ':' .. name
      local old_till = redis.call('ZSCORE', entries, old)
      if old_till and tonumber(old_till) > tonumber(till) then till = old_till end
      redis.call('ZREM', entries, old)
      if tonumber(known) > tonumber(at) then at = known end
    end
    redis.call('HSET', groups, field, at)
    member = kind .. at .. ':' .. name
  end
  redis.call('ZADD', entries, 'GT', till, member)
end
redis.call('HSET', state, 'restoring', time, 'b:' .. ARGV[1], time)
return #ARGV
