-- Takes a try, as one step.
--
-- KEYS  the key: a hash of the second in which its tries end, and of how many are taken
-- ARGV  now, how many there are, until when: seconds since 1970
-- Answers how many are left, or -1.
local now, most, till = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local known = redis.call('HMGET', KEYS[1], 'until', 'taken')
local ends, taken = tonumber(known[1] or 0), tonumber(known[2] or 0)
if ends <= now then ends, taken = 0, 0 end
if ends > till then till = ends end
if till <= now or taken >= most then return -1 end
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', till), 'taken', taken + 1)
-- A minute longer than they last: the callers' clocks agree to within one.
redis.call('EXPIRE', KEYS[1], math.min(till - now + 60, 34560000))
return most - taken - 1
