-- Returns what is noted of a subject's sessions.
--
-- KEYS  as of `note`
return redis.call('HVALS', KEYS[1])
