-- Gives a try back, atomically.
--
-- KEYS  the key, a hash as in take.lua
-- ARGV  now, in seconds since 1970
local known = redis.call('HMGET', KEYS[1], 'until', 'taken')
if tonumber(known[1] or 0) <= tonumber(ARGV[1]) or tonumber(known[2] or 0) <= 1 then
  redis.call('DEL', KEYS[1])
else
  redis.call('HINCRBY', KEYS[1], 'taken', -1)
end
return 0
