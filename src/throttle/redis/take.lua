-- Takes a try, atomically.
--
-- KEYS  a hash of the second in which the tries end, since 1970 by this server's clock, and of how
--       many are taken
-- ARGV  how many tries there are, in how many seconds they end
-- Returns how many are left, or -1 if none was.
local now = tonumber(redis.call('TIME')[1])
local most, till = tonumber(ARGV[1]), now + tonumber(ARGV[2])
-- How long the tries are remembered after their end: a minute for a replica whose clock is behind
-- and which still takes guesses, and a minute by which this server's clock may be set forward.
local KEPT = 120
local known = redis.call('HMGET', KEYS[1], 'until', 'taken')
local ends, taken = tonumber(known[1] or 0), tonumber(known[2] or 0)
if ends + KEPT <= now then ends, taken = 0, 0 end
if ends > till then till = ends end
if till <= now or taken >= most then return -1 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'taken', taken + 1)
redis.call('EXPIRE', KEYS[1], math.min(till - now + KEPT, 34560000))
return most - taken - 1
