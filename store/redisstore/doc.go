// Package redisstore keeps two-factor records in Redis, by
// github.com/redis/go-redis/v9.
//
// # What a failover loses
//
// Redis replicates asynchronously. A master acknowledges a write before its replicas
// have it. If the master dies and a replica takes over, by Sentinel, in a cluster or by
// hand, the last writes are lost. For two-factor authentication that means:
//
//   - A code that was used just before works a second time, for as long as it is valid:
//     about a minute and a half for an app code. A used recovery code works until it is
//     used again.
//   - Wrong codes that were counted just before are forgotten, and the attacker may guess
//     again.
//   - A change that was acknowledged is gone: a setup that was confirmed, codes that were
//     renewed, a factor that was disabled.
//
// A master that is cut off from its replicas goes on accepting writes for a while, and loses
// all of them. As long as it answers, a user who has enrolled at the new master gets in there
// with the password alone. min-replicas-to-write and min-replicas-max-lag shorten this time:
// without enough replicas a master lets nobody read or write accounts. In a cluster with the
// default settings, a replica may still take over if it had lost its master up to 160 seconds
// before the master failed (cluster-node-timeout and cluster-replica-validity-factor).
//
// [Options.Replicas] makes each Save wait for replicas. If they do not confirm, the Guard
// gets an error and does not take the write for stored, although the master has it. That
// narrows the gap and does not close it: a failover can choose another replica. If you
// can't accept this, use package sqlstore with a database that replicates synchronously.
//
// Measured on one machine, in a cluster whose replicas were up to 3 ms away: a master was
// killed 37 times under load of writes, and 184 of 129,535 acknowledged Saves were lost. In 153
// more failovers, 67 of 2,334 accepted codes worked a second time. With Replicas 1, none of
// 35,563 Saves was lost. A network that is slower or busier can lose more.
//
// # Durability of one server
//
// Set appendonly yes, appendfsync always and maxmemory-policy noeviction, and keep
// no-appendfsync-on-rewrite at no. With appendfsync everysec, a crash of the machine loses up
// to two seconds, with the same consequences as above. With no-appendfsync-on-rewrite, it
// loses what was written since Redis began to save in the background, even with appendfsync
// always. A policy that evicts any key evicts accounts; the volatile policies don't, because
// accounts have no time to live. [Store.Check] refuses what loses something. With noeviction,
// a Redis that is full refuses writes, and nobody signs in with a code. An account takes about
// 1.7 KB.
//
//	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
//	accounts, err := redisstore.New(rdb, redisstore.Options{})
//	if err != nil {
//		return err
//	}
//	err = accounts.Check(ctx)
//
// Set ContextTimeoutEnabled, so that the client heeds deadlines of contexts. Without it,
// a call goes on until the client's own timeouts.
//
// # Keys
//
// Each user has a hash, and each user belongs to one of 64 groups, which has a sorted set
// of its users. A group has a hash tag, so that all of its keys are in one slot of a
// cluster:
//
//	twofactor:{17}:user:alice    version, state, due, updated, data
//	twofactor:{17}:users         the user ids, in the order of their bytes
//
// The groups spread accounts over 64 slots, which is enough for a cluster with a few
// masters. A listing reads the sorted sets and never uses SCAN, which may return a key
// twice or in any order. Versions are compared as text, because numbers in Lua are not
// exact above 2^53.
//
// Load, Save and Erase are a Lua script each, so that they are atomic and run on the master,
// even if the client is allowed to read from replicas. Load and List run a command that would
// write and finds nothing to do. So a server that was the master, is a replica now and has not
// told its clients refuses them. If a user's hash is gone but the user is in the sorted set,
// Redis has evicted the account or something else has deleted it. Load then returns [ErrLost],
// so that nobody takes the user for one who is not enrolled. A user who was removed from the
// sorted set alone signs in as before, but List does not show the account, and Sweep does not
// find it.
//
// A user of Redis needs no more than this:
//
//	ACL SETUSER app on >password ~twofactor:* +eval +hget +hmget +hset +zadd +zscore +zrem +zrangebylex +set +del
//
// Add +config|get +info for Check, +wait for [Options.Replicas], and what go-redis sends in a
// cluster: +cluster|slots +asking +command. The subcommands need Redis 7.
//
// While a slot of a cluster moves to another master, calls for its users can fail, and so can
// each List that comes to one of them. They never report a user as absent while the user's
// keys move. With [Options.Replicas], writes of users who have moved also fail as long as
// their new master has no other slot.
//
// go-redis sends a command again when a connection fails. A Store lets it do so for Load,
// and outside a cluster for List, as the client's MaxRetries says. A Save and an Erase are
// sent once: a second arrival could meet a record that another client has written between
// the two. If the connection fails, they return an error, and the write may or may not have
// happened. The Guard then looks whether its record is there.
//
// # Errors
//
// The documentation of package store says what a Guard does after an error.
//
//	error                           a Save returns     has it changed anything?  who may try again
//	another version, or a record    store.ErrConflict  no                        the Guard does
//	ErrLost                         the error          no                        nobody: it needs repair
//	ErrReplicas                     the error          yes, until a failover     the caller, with the replicas back
//	Redis refuses: OOM, READONLY,   the error          no                        the caller, once Redis is well
//	  NOREPLICAS and the like
//	the context ended               its error          unknown                   the caller, with a new context
//	the connection broke            the error          unknown                   the caller
//	anything else                   the error          unknown                   the caller, once the cause is
//	                                                                             gone: no free connection
//
// # Versions
//
// The package is tested with Redis 7.0: a single server, with and without a replica, and a
// cluster of three masters with a replica each, whose masters are killed. It needs Redis
// 4.0 or later. It was not run with Sentinel, against Valkey, or against a service that
// imitates Redis.
package redisstore
