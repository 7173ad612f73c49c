-- Gives a try back, atomically.
--
-- KEYS  the key, a hash as in take.lua, which this server forgets by its own clock
local taken = tonumber(redis.call('HGET', KEYS[1], 'taken') or 0)
if taken <= 1 then
  redis.call('DEL', KEYS[1])
else
  redis.call('HINCRBY', KEYS[1], 'taken', -1)
end
return 0
