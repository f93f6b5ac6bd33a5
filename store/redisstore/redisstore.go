package redisstore

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/storekit"
)

var (
	// ErrLost says that a user had an account and Redis no longer has it. Call
	// [Store.Erase] after you have identified the user by other means. A record from a
	// backup would accept codes that were used since, and forget failures.
	ErrLost = errors.New("redisstore: the record was evicted or deleted")

	// ErrSettings says that Redis can lose acknowledged writes with its settings. Used
	// codes would then work again.
	ErrSettings = errors.New("redisstore: the settings of Redis are not safe")

	// ErrReplicas says that too few replicas have confirmed a write in time. The master
	// has it. Load returns this error for the user of such a write.
	ErrReplicas = errors.New("redisstore: too few replicas have the write")
)

// Defaults of [Options].
const (
	DefaultPrefix      = "twofactor:"
	DefaultWaitTimeout = time.Second
)

// Options are settings of a Store. The zero Options are for one server.
type Options struct {
	// Prefix begins each key. It has 1 to 64 letters, digits and the characters
	// : . _ -. Stores with different prefixes are independent of each other. Defaults
	// to [DefaultPrefix].
	Prefix string

	// Replicas is how many replicas each Save and Erase waits for, with WAIT. That
	// costs a round trip from the master to the slowest of them for each write. Where the
	// network took no time, callers made a tenth to a quarter fewer sign-ins a second. Writes fail
	// while fewer replicas are connected. If they do not confirm within WaitTimeout, the error
	// matches [ErrReplicas], and the master has the write all the same. While the write
	// waits, and after it has failed, a Load of the record by this Store waits as well, also
	// if it finds none after an Erase, and can fail in the same way. So a Guard never takes
	// such a write for stored. Other processes see it at once, and so does this one after a
	// restart, or after 10,000 later writes that wait or have failed. WAIT does not make Redis
	// consistent: a failover can choose a replica that did not confirm. Defaults to 0, which
	// waits for none.
	Replicas int

	// WaitTimeout is how long a write waits for the replicas, from 1 ms. Keep it below
	// the client's ReadTimeout. Defaults to [DefaultWaitTimeout].
	WaitTimeout time.Duration
}

var prefixRE = regexp.MustCompile(`^[A-Za-z0-9:._-]{1,64}$`)

// A Store keeps records in Redis. Make one with [New]; the zero Store can't be used. It
// is safe for concurrent use by several goroutines, and several processes may share the
// database.
type Store struct {
	client redis.UniversalClient
	rows   complete
}

// complete is what storekit makes of rows.
type complete interface {
	store.Store
	store.Lister
	store.Eraser
}

var _ complete = (*Store)(nil)

// New returns a Store that uses the client, a [redis.Client] for one server or by Sentinel,
// or a [redis.ClusterClient]. It sends nothing. The application configures and closes the
// client. All nodes of a service use the same Prefix.
//
// New returns an error if an option is not valid, and for any other client: a [redis.Ring]
// would look for accounts on another server after its list of servers changes, and with one
// that wraps a cluster, nobody knows whose replicas WAIT has asked. It panics if the client
// is nil.
func New(client redis.UniversalClient, o Options) (*Store, error) {
	if client == nil {
		panic("redisstore: the client is nil")
	}
	if o.Prefix == "" {
		o.Prefix = DefaultPrefix
	}
	if o.WaitTimeout == 0 {
		o.WaitTimeout = DefaultWaitTimeout
	}
	switch client.(type) {
	case *redis.Client, *redis.ClusterClient:
	default:
		return nil, fmt.Errorf("redisstore: the client is a %T, and not a *redis.Client or a *redis.ClusterClient", client)
	}
	switch {
	case !prefixRE.MatchString(o.Prefix):
		return nil, errors.New("redisstore: Prefix must have 1 to 64 letters, digits and the characters : . _ -")
	case o.Replicas < 0:
		return nil, errors.New("redisstore: Replicas is negative")
	case o.WaitTimeout < time.Millisecond:
		return nil, errors.New("redisstore: WaitTimeout is less than 1 ms")
	}
	return &Store{client, storekit.New("redisstore", rows{client, o, newDoubts()}).(complete)}, nil
}

// Load returns the user's record from the master. It returns [store.ErrNotFound] if
// there is none, [store.ErrInvalid] for an invalid user id, an error that matches
// [ErrLost] if Redis has lost the record, an error that matches [ErrReplicas] if only the
// master has a Save or an Erase of this Store, an error that matches the context's error if
// the context ends, and otherwise an error that wraps the client's. A hash that this package
// can't have written is an error.
func (s *Store) Load(ctx context.Context, userID string) (store.Record, error) {
	return s.rows.Load(ctx, userID)
}

// Save writes the record in one script on the master. It returns [store.ErrConflict] if
// Redis does not hold version prev, or, if prev is 0, holds a record. It returns
// [store.ErrInvalid] for invalid arguments, and an error that matches [ErrLost] if Redis
// has lost the record. After each of these, nothing has changed. It returns an error that
// matches [ErrReplicas] if the master has the write and too few replicas do, an error that
// matches the context's error if the context ends, and otherwise an error that wraps the
// client's. After one of the last two, the write may or may not have happened.
//
// What an acknowledged write survives is at the beginning of the documentation of this
// package.
func (s *Store) Save(ctx context.Context, r store.Record, prev int64) error {
	return s.rows.Save(ctx, r, prev)
}

// List returns a page of the records that match the query, ordered by the bytes of their
// user ids. For each step it asks all 64 groups for their next ids, in one pipeline, and
// then loads the records, in another. With UserIDs it loads up to a hundred records in a
// pipeline. It does not wait for replicas. A page can be shorter than Limit and have a
// Next. A record that is lost is listed with its UserID only. List returns
// [store.ErrInvalid] for an invalid query or a cursor that no List returned, an error that
// matches the context's error if the context ends, and otherwise an error that wraps the
// client's.
func (s *Store) List(ctx context.Context, q store.Query) (store.Page, error) {
	return s.rows.List(ctx, q)
}

// Erase deletes the user's record, and its place in the listing. It returns nil if there
// is none, [store.ErrInvalid] for an invalid user id, and otherwise the errors of Save
// that are not about versions.
func (s *Store) Erase(ctx context.Context, userID string) error {
	return s.rows.Erase(ctx, userID)
}

// ended returns the error of a reply that is one of the scripts' words.
func ended(word string) error {
	switch word {
	case "ok":
		return nil
	case "conflict":
		return store.ErrConflict
	case "absent":
		return store.ErrNotFound
	case "lost":
		return ErrLost
	}
	return fmt.Errorf("a script returned %.20q", word)
}
