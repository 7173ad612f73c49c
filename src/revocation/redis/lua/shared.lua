-- What the scripts share.
--
-- KEYS  entries  sorted set: revocations, scored by the second in which each may be forgotten; and
--                `!EPOCH`, scored infinite
--       groups   hash: for a revocation that ends many sessions, the second up to which they end;
--                and `!`, the epoch
--       state    hash: epoch (random: another one is another data set), seq (revocations streamed),
--                of (the history of the server that the epoch was last seen on), since (when that
--                was, in milliseconds), restorer and restoring (who puts back, and when it was last
--                heard of), restored (how often), and of each replica m:ID (seen), b:ID (it returns)
--                and d:ID (it has put back what it knew)
--       stream   the revocations as they came, numbered by seq
local entries, groups, state, stream = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
-- A replica that returns, and was not heard of for this long, is gone. After the clock was set back,
-- a sign may be of the future: one that is too far ahead counts as gone too.
local PATIENCE = 5000
-- So is one that only follows.
local ABSENT = 60000

local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

-- Every key but the stream carries the epoch: a key that is deleted or evicted takes it along, and
-- what is left is not taken for the whole. The stream is held to `seq` by its readers.
local function intact()
  local epoch = redis.call('HGET', state, 'epoch')
  return epoch and redis.call('HGET', groups, '!') == epoch
    and redis.call('ZSCORE', entries, '!' .. epoch) and epoch
end

-- Says that replicas may know more than this data set, from now on.
local function unsettle(history, time)
  -- First: a full server judges a script by its first write, and would take a mark behind deletions
  -- from one replica that can put nothing back.
  redis.call('HSET', state, 'of', history, 'since', time)
  local fields = redis.call('HKEYS', state)
  for _, field in ipairs(fields) do
    if string.find(field, '^[bd]:') or string.find(field, '^restor[ei]') and field ~= 'restored' then
      redis.call('HDEL', state, field)
    end
  end
end

-- Makes another data set of what is there.
local function begin(epoch, history, time)
  redis.call('DEL', stream)
  redis.call('ZREMRANGEBYSCORE', entries, 'inf', 'inf')
  redis.call('ZADD', entries, 'inf', '!' .. epoch)
  redis.call('HSET', groups, '!', epoch)
  redis.call('HSET', state, 'epoch', epoch)
  unsettle(history, time)
end

