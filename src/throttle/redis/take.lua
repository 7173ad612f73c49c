-- Takes a try, atomically.
--
-- KEYS  the key: a hash of the second in which its tries end, and how many are taken
-- ARGV  now, how many tries there are, when they end. Both times are in seconds since 1970
-- Returns how many are left, or -1 if none was.
local now, most, till = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'until', 'taken')
local ends, taken = tonumber(known[1] or 0), tonumber(known[2] or 0)
if ends <= now then ends, taken = 0, 0 end
if ends > till then till = ends end
if till <= now or taken >= most then return -1 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'taken', taken + 1)
-- Keep the key a minute longer than its tries: the callers' clocks agree to within a minute.
redis.call('EXPIRE', KEYS[1], math.min(till - now + 60, 34560000))
return most - taken - 1
