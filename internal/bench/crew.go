package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/keyring"
	"github.com/seed-1b6a03a1/twofactor/recovery"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/memory"
	"github.com/seed-1b6a03a1/twofactor/store/sqlstore"
)

// Accounts is a store that can be listed.
type Accounts interface {
	store.Store
	store.Lister
}

// A Crew is a store in which every record is a real account: that of one user who
// has lived for a month, sealed anew for each. All of them have the same secret.
// Some can instead be accounts with a setup that has expired, which are due.
type Crew struct {
	CrewOptions
	Took  time.Duration // to fill the store
	Bytes int64         // of a table on disk
	Index int64         // how many of them its indexes have

	Guard     *enrollment.Guard
	Directory *enrollment.Directory

	database   *Database // nil if the store is no table
	table      string
	accounts   Accounts
	noise      noise
	first      User
	parts      *Parts
	expired    *beginner   // the pattern of those that are due
	population *Population // of the first user alone; its clock is that of the Guard
}

// CrewOptions say what a Crew is.
type CrewOptions struct {
	Size int // accounts
	Due  int // how many of them, spread over the table, are due

	// Slow says that the recovery codes are of the scheme Argon2id. Otherwise they are
	// of the scheme Fast, which takes as many bytes.
	Slow bool
}

// recordColumns are the columns of a table of records.
var recordColumns = []string{"user_id", "version", "state", "due", "updated", "data"}

// NewCrew fills a fresh table with accounts.
func (d *Database) NewCrew(ctx context.Context, table string, o CrewOptions) (*Crew, error) {
	accounts, err := sqlstore.NewTable(d.DB, d.Dialect, table)
	if err != nil {
		return nil, err
	}
	if err := accounts.Migrate(ctx); err != nil {
		return nil, err
	}
	c, err := newCrew(ctx, accounts, o)
	if err != nil {
		return nil, err
	}
	c.database, c.table = d, table
	start := time.Now()
	if err := c.fill(ctx); err != nil {
		return nil, fmt.Errorf("loading %d rows: %w", o.Size, err)
	}
	c.Took = time.Since(start)
	c.Bytes, c.Index, err = d.size(ctx, table)
	return c, err
}

// NewCrewIn saves accounts in an empty store, each by a Save, of which many wait at a
// time.
func NewCrewIn(ctx context.Context, accounts Accounts, o CrewOptions) (*Crew, error) {
	c, err := newCrew(ctx, accounts, o)
	if err != nil {
		return nil, err
	}
	save := &Load{Name: "loading accounts", Op: func(ctx context.Context, i int) error {
		r, err := c.record(ctx, i)
		if err != nil {
			return err
		}
		return accounts.Save(ctx, r, 0)
	}}
	t, err := save.Run(ctx, 64, o.Size)
	c.Took = t.Cost.Wall
	return c, err
}

func newCrew(ctx context.Context, accounts Accounts, o CrewOptions) (*Crew, error) {
	scheme := recovery.Fast
	if o.Slow {
		scheme = recovery.Argon2id
	}
	p, err := populate(ctx, 1, scheme, true)
	if err != nil {
		return nil, err
	}
	c := &Crew{CrewOptions: o, accounts: accounts, first: p.Users[0], population: p}
	if c.parts, err = NewParts(ctx, p); err != nil {
		return nil, err
	}
	if c.expired, err = c.begin(ctx); err != nil {
		return nil, err
	}
	return c, c.guardWith(p.ring)
}

// guardWith makes the Guard and the Directory with these keys.
func (c *Crew) guardWith(ring *keyring.Ring) (err error) {
	if c.Guard, err = enrollment.New(c.accounts, ring, c.population.config(recovery.Argon2id)); err != nil {
		return err
	}
	c.Directory, err = enrollment.NewDirectory(c.Guard, c.accounts)
	return err
}

func (c *Crew) fill(ctx context.Context) error {
	err := c.database.fill(ctx, c.table, recordColumns, c.Size, func(i int) ([]any, error) {
		r, err := c.record(ctx, i)
		var due any
		if !r.Due.IsZero() {
			due = r.Due.UnixMicro()
		}
		return []any{r.UserID, r.Version, r.State.String(), due, r.Updated.UnixMicro(), r.Data}, err
	})
	if err != nil {
		return err
	}
	return c.database.settle(ctx, c.table)
}

// record returns the record of the i-th account.
func (c *Crew) record(ctx context.Context, i int) (r store.Record, err error) {
	like, parts := c.first, c.parts
	if c.isDue(i) {
		like, parts = c.expired.Users[0], c.expired.parts
	}
	r = like.Record
	r.UserID = c.id(i)
	r.Data, err = parts.sealFor(ctx, c.population.ring, like, r.UserID)
	return r, err
}

// isDue reports whether the i-th account is due.
func (c *Crew) isDue(i int) bool { return c.Due > 0 && (i+1)*c.Due/c.Size > i*c.Due/c.Size }

// begin returns a user under the same keys whose first setup was never confirmed.
func (c *Crew) begin(ctx context.Context) (*beginner, error) {
	b := &beginner{Population: Population{ring: c.population.ring, store: memory.New()}}
	b.set(base.Add(-time.Hour))
	if err := b.Attach(b.store); err != nil {
		return nil, err
	}
	u := User{ID: c.first.ID}
	_, err := b.Guard.Begin(ctx, u.ID, enrollment.BeginOptions{Account: u.ID + "@example.com", Proof: enrollment.ByReauth("password")})
	if err != nil {
		return nil, err
	}
	if u.Record, err = b.store.Load(ctx, u.ID); err != nil {
		return nil, err
	}
	b.Users = []User{u}
	b.parts, err = NewParts(ctx, &b.Population)
	return b, err
}

// A beginner is a user who has begun.
type beginner struct {
	Population
	parts *Parts
}

// id returns the id of the i-th account. As with random ids (UUIDs), the order in
// which accounts are made is not that of their ids. The first one's is that of the
// only user of a Population, and all are as long, so that each can take its place.
func (*Crew) id(i int) string { return fmt.Sprintf("user-%08x", uint32(i)*2_654_435_761) }

// Members returns the ids of n accounts that are not due, or of all of these, in
// random order from all over the table.
func (c *Crew) Members(n int) []string {
	var ids []string
	for _, i := range randomOrder(c.Size) {
		if len(ids) == n {
			break
		}
		if !c.isDue(i) {
			ids = append(ids, c.id(i))
		}
	}
	return ids
}

// Users returns n members with a challenge each, and the Guard over the table. The
// challenges are made elsewhere, so that no page of the table is touched.
func (c *Crew) Users(ctx context.Context, n int) (*Population, error) {
	p := &Population{ring: c.population.ring}
	if err := p.Attach(memory.New()); err != nil {
		return nil, err
	}
	p.set(base)
	for _, id := range c.Members(n) {
		u := c.first
		u.ID, u.Record.UserID = id, id
		var err error
		if u.Record.Data, err = c.parts.sealFor(ctx, p.ring, c.first, id); err != nil {
			return nil, err
		}
		if err := p.store.Save(ctx, u.Record, 0); err != nil {
			return nil, err
		}
		if u.Challenge, err = p.challenge(ctx, id); err != nil {
			return nil, err
		}
		p.Users = append(p.Users, u)
	}
	return p, p.Attach(c.accounts)
}

// RecordSize returns how many bytes the record of an account has as the database
// holds it.
func (c *Crew) RecordSize() int { return len(c.first.Record.Data) }

// check returns an error if the status is not that of an account of the crew.
func (c *Crew) check(m enrollment.Member) error {
	s := m.Status
	if s.State == store.Confirmed && s.CodesTotal == 10 || c.Due > 0 && s.State == store.None {
		return nil
	}
	return fmt.Errorf("%s is %v with %d recovery codes", m.UserID, s.State, s.CodesTotal)
}

// place returns the scope and the binding of the account as that of another user than u,
// whose id must be as long, in that version.
func (p *Parts) place(u User, id string, version int64) (scope, binding []byte) {
	put := func(in []byte) (out []byte, at int) {
		// Both begin with two parts, the label and the namespace, each behind its
		// length, and then have the user id.
		out = append([]byte(nil), in...)
		for range 2 {
			at += 4 + int(binary.BigEndian.Uint32(out[at:]))
		}
		if at += 4; string(out[at:at+len(u.ID)]) != u.ID || len(u.ID) != len(id) {
			panic("the scope or the binding is not built as it was")
		}
		return out, at + copy(out[at:], id)
	}
	scope, _ = put(p.scope)
	binding, at := put(p.binding)
	// Behind the user id, the binding has the version.
	binary.BigEndian.PutUint64(binding[at+4:], uint64(version))
	return scope, binding
}

// sealFor seals the account as that of another user.
func (p *Parts) sealFor(ctx context.Context, ring *keyring.Ring, u User, id string) ([]byte, error) {
	scope, binding := p.place(u, id, u.Record.Version)
	data, err := ring.Seal(ctx, scope, binding, p.plain)
	// What follows the sealed bytes is the same for all users.
	return append(data, u.Record.Data[len(p.sealed):]...), err
}
