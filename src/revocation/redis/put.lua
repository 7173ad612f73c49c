-- Puts orders in, as one step. An order that is there already, or a weaker one, changes nothing and is not told again.
--
-- KEYS  entries  sorted set: what was ended, by the second in which it may be forgotten
--       groups   hash: of an order that ends many sessions, up to which second they end
--       state    hash: epoch (random: another one is another memory) and seq (how many orders were told)
--       stream   what was told, numbered by seq
-- ARGV  now, an epoch for a memory that has none, how many orders the stream keeps, and of each order: kind, name, at, until
local entries, groups, state, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
if redis.call('HSETNX', state, 'epoch', ARGV[2]) == 1 then redis.call('DEL', stream) end
for i = 4, #ARGV, 4 do
  local kind, name, at, till = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local member, changed = kind .. name, nil
  if kind == 's' then
    changed = redis.call('ZADD', entries, 'GT', 'CH', till, member) == 1
  else
    local field = member
    local known = redis.call('HGET', groups, field)
    member = kind .. at .. ':' .. name
    if known then
      local old = kind .. known .. ':' .. name
      local old_till = redis.call('ZSCORE', entries, old) or '0'
      if tonumber(known) > tonumber(at) then at, member = known, old end
      changed = member ~= old or tonumber(till) > tonumber(old_till)
      if tonumber(old_till) > tonumber(till) then till = old_till end
      if member ~= old then redis.call('ZREM', entries, old) end
    else
      changed = true
    end
    redis.call('HSET', groups, field, at)
    redis.call('ZADD', entries, till, member)
  end
  if changed then
    local seq = redis.call('HINCRBY', state, 'seq', 1)
    redis.call('XADD', stream, 'MAXLEN', '~', ARGV[3], seq .. '-0', 'o', member, 'u', till)
  end
end
-- What has ended by both clocks is dropped.
local now = math.min(tonumber(ARGV[1]), tonumber(redis.call('TIME')[1]))
local ended = redis.call('ZRANGEBYSCORE', entries, '-inf', now, 'LIMIT', 0, 1000)
for _, member in ipairs(ended) do
  redis.call('ZREM', entries, member)
  local colon = string.find(member, ':', 1, true)
  if string.sub(member, 1, 1) ~= 's' and colon then
    redis.call('HDEL', groups, string.sub(member, 1, 1) .. string.sub(member, colon + 1))
  end
end
return #ended
