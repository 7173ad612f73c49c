-- Forgets a session of a subject.
--
-- KEYS  as of `note`
-- ARGV  the session's id
return redis.call('HDEL', KEYS[1], ARGV[1])
