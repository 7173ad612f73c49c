-- Puts orders in, as one step. An order that is there already, or a weaker one, changes nothing and is not told again.
--
-- KEYS  entries  sorted set: what was ended, by the second in which it may be forgotten
--       groups   hash: of an order that ends many sessions, up to which second they end
--       state    hash: epoch (random: another one is another memory) and seq (how many orders were told)
--       stream   what was told, numbered by seq
-- ARGV  now, an epoch for a memory that has none, how many orders the stream keeps, and of each order: kind, name, at, until
local entries, groups, state, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- What has ended by both clocks, a minute ago, is dropped; and first, for that is all that a full server takes.
local now = math.min(tonumber(ARGV[1]), tonumber(redis.call('TIME')[1])) - 60
local ended = redis.call('ZRANGEBYSCORE', entries, '-inf', now, 'LIMIT', 0, 1000)
for _, member in ipairs(ended) do
  redis.call('ZREM', entries, member)
  local colon = string.find(member, ':', 1, true)
  if string.sub(member, 1, 1) ~= 's' and colon then
    redis.call('HDEL', groups, string.sub(member, 1, 1) .. string.sub(member, colon + 1))
  end
end
if redis.call('HSETNX', state, 'epoch', ARGV[2]) == 1 then redis.call('DEL', stream) end
for i = 4, #ARGV, 4 do
  local kind, name, at, till = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]
  local field = kind .. name
  local member, old = field, field
  if kind ~= 's' then
    local known = redis.call('HGET', groups, field)
    old = kind .. (known or at) .. ':' .. name
    if known and tonumber(known) > tonumber(at) then at = known end
    member = kind .. at .. ':' .. name
  end
  local old_till = redis.call('ZSCORE', entries, old)
  if old_till and tonumber(old_till) > tonumber(till) then till = old_till end
  if member ~= old or not old_till or tonumber(till) > tonumber(old_till) then
    -- Told before it is noted: an order that is noted is not told again.
    local seq = redis.call('HINCRBY', state, 'seq', 1)
    local words = { 'XADD', stream, 'MAXLEN', '~', ARGV[3], seq .. '-0', 'o', member, 'u', till }
    local told = redis.pcall(unpack(words))
    if type(told) == 'table' and told.err then
      if not string.find(told.err, 'equal or smaller', 1, true) then return told end
      -- The stream is another memory's: everybody loads everything.
      redis.call('DEL', stream)
      redis.call('HSET', state, 'epoch', ARGV[2])
      redis.call(unpack(words))
    end
    if member ~= old then redis.call('ZREM', entries, old) end
    if kind ~= 's' then redis.call('HSET', groups, field, at) end
    redis.call('ZADD', entries, till, member)
  end
end
return #ended
