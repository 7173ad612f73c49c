-- Notes a session of a subject.
--
-- KEYS  hash: by the session's id, when it ends (in seconds), a blank, and its record
-- ARGV  now; then of the session: id, end, record; and how many sessions the subject may have
local now, id, ends, most = tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
redis.call('HSET', KEYS[1], id, ARGV[3] .. ' ' .. ARGV[4])
local all, count, last, first, when = redis.call('HGETALL', KEYS[1]), 0, ends, nil, nil
for at = 1, #all, 2 do
  local until_ = tonumber(string.match(all[at + 1], '^%d+')) or 0
  if until_ <= now then
    redis.call('HDEL', KEYS[1], all[at])
  else
    count = count + 1
    if until_ > last then last = until_ end
    if not when or until_ < when then first, when = all[at], until_ end
  end
end
if count > most then redis.call('HDEL', KEYS[1], first) end
-- Relative, because the callers' clocks may differ from this server's.
if last > now then redis.call('EXPIRE', KEYS[1], last - now) end
return count
