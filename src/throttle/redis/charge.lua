-- Takes one from each rate, or from none, atomically: the generic cell rate algorithm over several
-- keys.
--
-- KEYS  for each charge the key that holds when it is fully refilled, in microseconds since 1970 by
--       this server's clock; last the key that holds the latest time at which a charge was admitted
-- ARGV  for each charge: burst, period in microseconds
-- Returns {-1, 0} if all are admitted; else the index (from 0) of the charge that has to wait
-- longest, and how long in microseconds.
local time = redis.call('TIME')
local now, by, longest, ends = time[1] * 1000000 + time[2], -1, 0, {}
-- Replicas of an earlier version neither read nor write it: they cut whatever is beyond their rate.
-- Without it nobody knows whether the clock was set back, and a count is cut as it is by them.
local latest = redis.call('GET', KEYS[#KEYS])
latest = latest and tonumber(latest)
-- By how much this server's clock may be set back before the rates follow it.
local STEP = 60000000
local function put(key, at)
  -- A minute longer than it counts, so that a clock that is set forward by that, and back again,
  -- forgets nothing. `%.0f`, because Lua would print large numbers as 1.7e+15 and lose digits.
  local kept = math.ceil((at - now + STEP) / 1000) + 1000
  redis.call('SET', key, string.format('%.0f', at), 'PX', kept)
end
for i = 1, #KEYS - 1 do
  local key, burst, period = KEYS[i], tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local at, last = tonumber(redis.call('GET', key) or now), now + burst * period
  -- The clock was set back by more than a step: cap the wait at one whole refill. Within a step
  -- nothing is written, because the clock may come right again, and what was taken off would then
  -- have been given back. While the clock is right, a wider rate has counted this, and a narrower
  -- one waits until there is room in it.
  if at > last + STEP and (not latest or now + STEP < latest) then
    at = last
    put(key, at)
  end
  if at < now then at = now end
  local wait = at - (burst - 1) * period - now
  if wait > longest then by, longest = i - 1, wait end
  ends[i] = at + period
end
if by >= 0 then return { by, string.format('%.0f', longest) } end
for i = 1, #KEYS - 1 do put(KEYS[i], ends[i]) end
-- Once a second at most, and never back. No count is of a later time than the latest charge that
-- was admitted, so a refusal writes nothing. It is kept for 400 days.
if not latest or now >= latest + 1000000 then
  redis.call('SET', KEYS[#KEYS], string.format('%.0f', now), 'PX', '34560000000')
end
return { -1, '0' }
