-- Takes one from each rate, or from none, atomically: the generic cell rate algorithm over several
-- keys.
--
-- KEYS  for each charge the key that holds when it is fully refilled, in microseconds since 1970
-- ARGV  now; then for each charge: burst, period. Both times are in microseconds
-- Returns {-1, 0} if all are admitted; else the index (from 0) of the charge that has to wait
-- longest, and how long.
local now, by, longest, ends = tonumber(ARGV[1]), -1, 0, {}
local function put(key, at)
  -- A relative expiry (PX), not an absolute one: the callers' clocks may differ from this server's.
  -- `%.0f`, because Lua would print large numbers as 1.7e+15 and lose digits.
  redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1000)
end
for i, key in ipairs(KEYS) do
  local burst, period = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local at, last = tonumber(redis.call('GET', key) or now), now + burst * period
  -- If the clock was set back, or the rate became shorter, cap the wait at one whole refill.
  if at > last then
    at = last
    put(key, at)
  end
  if at < now then at = now end
  local wait = at - (burst - 1) * period - now
  if wait > longest then by, longest = i - 1, wait end
  ends[i] = at + period
end
if by >= 0 then return { by, string.format('%.0f', longest) } end
for i, key in ipairs(KEYS) do put(key, ends[i]) end
return { -1, '0' }
