-- Takes one from each rate, or from none: the generic cell rate algorithm over several keys, as one step.
--
-- KEYS  of each charge the key that holds when it is fully refilled, in microseconds since 1970
-- ARGV  now, and of each charge: burst, period, both times in microseconds
-- Answers {-1, 0}, or which charge (from 0) has to wait longest, and for how long.
local now, by, longest, ends = tonumber(ARGV[1]), -1, 0, {}
local function put(key, at)
  -- By how long it takes and not by when: the callers' clocks need not be this machine's.
  redis.call('SET', key, string.format('%.0f', at), 'PX', math.ceil((at - now) / 1000) + 1000)
end
for i, key in ipairs(KEYS) do
  local burst, period = tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1])
  local at, last = tonumber(redis.call('GET', key) or now), now + burst * period
  -- A clock that was set back, or a rate that became shorter, keeps nobody waiting for longer than a whole refill.
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
