-- Takes one from each rate, or from none, atomically: the generic cell rate algorithm over several
-- keys.
--
-- KEYS  for each charge the key that holds when it is fully refilled, in microseconds since 1970 by
--       this server's clock
-- ARGV  for each charge: burst, period in microseconds
-- Returns {-1, 0} if all are admitted; else the index (from 0) of the charge that has to wait
-- longest, and how long in microseconds.
local time = redis.call('TIME')
local now, by, longest, ends = time[1] * 1000000 + time[2], -1, 0, {}
-- By how much this server's clock may be set back before the rates follow it.
local STEP = 60000000
local function put(key, at)
  -- A minute longer than it counts, so that a clock that is set forward by that, and back again,
  -- forgets nothing. `%.0f`, because Lua would print large numbers as 1.7e+15 and lose digits.
  local kept = math.ceil((at - now + STEP) / 1000) + 1000
  redis.call('SET', key, string.format('%.0f', at), 'PX', kept)
end
for i, key in ipairs(KEYS) do
  local burst, period = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local at, last = tonumber(redis.call('GET', key) or now), now + burst * period
  -- The clock was set back by more than a step, or the rate became shorter: cap the wait at one
  -- whole refill. Within a step nothing is written, because the clock may come right again, and
  -- what was taken off would then have been given back.
  if at > last + STEP then
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
