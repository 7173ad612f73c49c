-- Notes that a replica has arrived, and what it does here.
--
-- ARGV  an epoch for a data set that has none, the server's history, the replica's id, how long a
--       data set is not settled, in milliseconds, and one of
--       new       it knows nothing
--       returns   it knows an earlier data set, and will put back what this one lacks
--       restores  it asks to be the one that puts back much, without the stream
--       done      it has put back what it knew
--       and, if it asks to restore, how often that had been done when it loaded
local history, id, settle, what = ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
local time = now()
if not intact() then
  begin(ARGV[1], history, time)
elseif redis.call('HGET', state, 'of') ~= history then
  unsettle(history, time)
end
local since = tonumber(redis.call('HGET', state, 'since') or '0')
local settled = time - since >= settle
local fields = redis.call('HGETALL', state)
for i = 1, #fields, 2 do
  local kind, age = string.sub(fields[i], 1, 2), time - (tonumber(fields[i + 1]) or 0)
  if kind == 'b:' and math.abs(age) < PATIENCE then settled = false end
  if (kind == 'm:' or kind == 'd:') and age >= ABSENT then redis.call('HDEL', state, fields[i]) end
end
redis.call('HSET', state, 'm:' .. id, time)
if what == 'done' then
  redis.call('HDEL', state, 'b:' .. id)
  redis.call('HSET', state, 'd:' .. id, time)
  if redis.call('HGET', state, 'restorer') == id then redis.call('HDEL', state, 'restorer', 'restoring') end
elseif what ~= 'new' and not settled then
  redis.call('HSET', state, 'b:' .. id, time)
  if what == 'restores' then
    local restorer = redis.call('HGET', state, 'restorer')
    local heard = tonumber(redis.call('HGET', state, 'restoring') or '0')
    -- Whoever loaded before another put back must load again first.
    local same = (tonumber(redis.call('HGET', state, 'restored') or '0')) == tonumber(ARGV[6])
    if same and (not restorer or restorer == id or math.abs(time - heard) >= PATIENCE) then
      redis.call('HINCRBY', state, 'restored', 1)
      restorer = id
    end
    if restorer == id and same then redis.call('HSET', state, 'restorer', id, 'restoring', time) end
  end
end
return time
