-- Describes the data set.
local reply = {
  intact() and 'intact' or 'broken', string.format('%.0f', now()),
  'entries', tostring(redis.call('ZCARD', entries)),
}
for _, word in ipairs(redis.call('HGETALL', state)) do
  table.insert(reply, word)
end
return reply
