-- Records revocations, atomically. One that is stored already, or a weaker one, changes nothing and
-- is not added to the stream again.
--
-- ARGV  now, an epoch for a data set that has none, how many revocations the stream keeps, the
--       server's history; then of each revocation: kind, name, at, until
-- Drop what expired a minute ago by both the caller's clock and this server's. This comes first,
-- because a full server accepts deletions only. At most 1,000, so that no call blocks Redis
local time = now()
local past = math.min(tonumber(ARGV[1]), math.floor(time / 1000)) - 60
local ended = redis.call('ZRANGEBYSCORE', entries, '-inf', past, 'LIMIT', 0, 1000)
for _, member in ipairs(ended) do
  redis.call('ZREM', entries, member)
  local colon = string.find(member, ':', 1, true)
  if string.sub(member, 1, 1) ~= 's' and colon then
    redis.call('HDEL', groups, string.sub(member, 1, 1) .. string.sub(member, colon + 1))
  end
end
if not intact() then begin(ARGV[2], ARGV[4], time) end
for i = 5, #ARGV, 4 do
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
    -- Stream before storing: if the stream refuses the order, storing it first would suppress every
    -- retry, and no replica would ever get it.
    local seq = redis.call('HINCRBY', state, 'seq', 1)
    local words = { 'XADD', stream, 'MAXLEN', '~', ARGV[3], seq .. '-0', 'o', member, 'u', till }
    local told = redis.pcall(unpack(words))
    if type(told) == 'table' and told.err then
      if not string.find(told.err, 'equal or smaller', 1, true) then return told end
      -- The stream belongs to another data set. A new epoch makes every replica load everything.
      begin(ARGV[2], ARGV[4], time)
      redis.call(unpack(words))
    end
    if member ~= old then redis.call('ZREM', entries, old) end
    if kind ~= 's' then redis.call('HSET', groups, field, at) end
    redis.call('ZADD', entries, till, member)
  end
end
return #ended
