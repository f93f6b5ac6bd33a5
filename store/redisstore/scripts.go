package redisstore

// The scripts have the user's hash as the first key, and the sorted set of the user's
// group as the second. Each call sends the text: EVALSHA would save a few hundred bytes,
// and needs SHA-1, which Go refuses where FIPS 140-3 is enforced.
const (
	// asMaster fails where a write would: on a replica, which a master can become without a word
	// to its clients, and on a master that has too few of them. Nobody has the empty id.
	asMaster = `
redis.call('ZREM', KEYS[#KEYS], '')`

	// loadScript returns the fields of the hash, or a word. The argument is the id.
	loadScript = asMaster + `
local r = redis.call('HMGET', KEYS[1], 'version', 'state', 'due', 'updated', 'data')
if r[1] then return r end
if redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'lost' end
return 'absent'`

	// saveScript returns a word. Its arguments are the id, prev, and the fields. It does
	// not compare numbers, but their text. Redis undoes nothing of a script that fails.
	saveScript = `
local now = redis.call('HGET', KEYS[1], 'version')
if not now and redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'lost' end
if (now or '0') ~= ARGV[2] then return 'conflict' end
if not now then redis.call('ZADD', KEYS[2], 0, ARGV[1]) end
local set = redis.pcall('HSET', KEYS[1], 'version', ARGV[3], 'state', ARGV[4], 'due', ARGV[5], 'updated', ARGV[6], 'data', ARGV[7])
if type(set) == 'number' then return 'ok' end
if not now then redis.call('ZREM', KEYS[2], ARGV[1]) end
return set`

	// eraseScript returns a word. The argument is the id.
	eraseScript = `
if redis.call('DEL', KEYS[1]) + redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then` + touchNothing + `
end
return 'ok'`

	// touchNothing writes and changes nothing, where there is no hash, so that WAIT has a
	// write to wait for. It would return at once on a connection without one.
	touchNothing = `
  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])`
)

// idsScript returns some members of a sorted set whose scores are all 0, by their bytes.
const idsScript = asMaster + `
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])`
