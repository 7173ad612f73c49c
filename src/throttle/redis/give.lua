-- Gives a try back, as one step.
--
-- KEYS  the key, as take.lua has it
-- ARGV  now
local known = redis.call('HMGET', KEYS[1], 'until', 'taken')
if tonumber(known[1] or 0) <= tonumber(ARGV[1]) or tonumber(known[2] or 0) <= 1 then
  redis.call('DEL', KEYS[1])
else
  redis.call('HINCRBY', KEYS[1], 'taken', -1)
end
return 0
