-- Needs every permission that the stores' scripts need. Returns the server's time, in seconds.
local now = redis.call('TIME')
redis.call('SET', KEYS[1], '1', 'PX', 1000)
redis.call('DEL', KEYS[1])
return tonumber(now[1])
