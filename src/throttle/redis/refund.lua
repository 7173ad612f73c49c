-- Gives one back to each rate, atomically.
--
-- KEYS  the keys, as in charge.lua
-- ARGV  for each of them the period, in microseconds
--
-- No time is needed: a moment that comes to lie in the past is a full rate to charge.lua, and the
-- key expires when it would have.
for i, key in ipairs(KEYS) do
  local at = tonumber(redis.call('GET', key) or 0)
  if at > 0 then
    local earlier = string.format('%.0f', math.max(at - tonumber(ARGV[i]), 0))
    redis.call('SET', key, earlier, 'XX', 'KEEPTTL')
  end
end
return 0
