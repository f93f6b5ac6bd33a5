package enrollment_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// rehearsed is the rehearsal of a list, with its findings by user.
func rehearsed(t *testing.T, x enrollment.Admin, users iter.Seq2[string, enrollment.Import]) (enrollment.ImportCount, map[string]enrollment.ImportFinding, error) {
	t.Helper()
	found := map[string]enrollment.ImportFinding{}
	count, err := x.RehearseImport(t.Context(), users, func(f enrollment.ImportFinding) { found[f.UserID] = f })
	return count, found, err
}

// The rehearsal says of each user what the import then does, and writes nothing.
func TestRehearseImport(t *testing.T) {
	t.Parallel()
	k := proving.New(t, func(c *enrollment.Config) { c.ShortSecretsUntil = proving.Start })
	k.Enroll("enrolled")
	k.TakeOver("disabled")
	_, err := k.Guard.Admin("support", "phone lost").Reset(t.Context(), "disabled", enrollment.ResetOptions{})
	k.Must(err)
	k.Enroll("damaged")
	rec := k.Record("damaged")
	rec.Data, rec.Version = []byte("not sealed"), rec.Version+1
	k.Must(k.Store.Straight.Save(t.Context(), rec, rec.Version-1))

	one := func(key totp.Key) enrollment.Import {
		return enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: key}}}
	}
	good := one(proving.TheirKey(t, "good", totp.Params{}))
	named := one(proving.TheirKey(t, "named", totp.Params{}))
	named.Authenticators[0].Name = strings.Repeat("n", enrollment.MaxName+1)
	half := good
	half.RecoveryHashes = proving.Hashes(make([]byte, 16))
	users := map[string]enrollment.Import{
		"good": good, "short": one(proving.ShortKey(t, "a")), "enrolled": good, "disabled": good, "damaged": good,
		"unreadable": one(totp.Key{}), "named": named, "half a hash": half, "": good, "migration": good,
	}
	want := map[string]enrollment.ImportFinding{
		"good": {}, "short": {Short: true},
		"enrolled": {Reason: enrollment.ReasonAlreadyEnrolled}, "disabled": {Reason: enrollment.ReasonWasEnrolled},
		"named": {Reason: enrollment.ReasonInvalidName}, "migration": {Reason: enrollment.ReasonOwnAccount},
	}
	wrong := map[string]string{"damaged": enrollment.ErrCorrupt.Error(), "unreadable": "Key is zero", "half a hash": "RecoveryHashes", "": store.ErrInvalid.Error()}

	migration := k.Guard.Admin("migration", "moving")
	k.Store.Reset()
	told := len(k.Told())
	count, found, err := rehearsed(t, migration, maps.All(users))
	k.Must(err)
	if n := k.Store.Calls(proving.Save) + k.Store.Calls(proving.Erase); n != 0 {
		t.Errorf("it wrote %d times", n)
	}
	if n := len(k.Told()); n != 0 {
		t.Errorf("%d events were told, after %d", n, told)
	}
	for user := range users {
		f, x := found[user], want[user]
		if f.UserID != user || f.Reason != x.Reason || f.Short != x.Short || (f.Err != nil) != (wrong[user] != "") || f.Imports() != (x.Reason == "" && wrong[user] == "") {
			t.Errorf("%q: %+v", user, f)
		}
		if f.Err != nil && !strings.Contains(f.Err.Error(), wrong[user]) {
			t.Errorf("%q: %v", user, f.Err)
		}
	}
	if count.Users != len(users) || count.Imported != 2 || count.Short != 1 || count.Faulty != 4 || count.Denied[enrollment.ReasonWasEnrolled] != 1 || len(count.Denied) != 4 {
		t.Errorf("%+v", count)
	}
	for user, im := range users {
		err := migration.Import(t.Context(), user, im)
		if f := found[user]; (err == nil) != f.Imports() || f.Reason != "" && proving.ReasonOf(err) != f.Reason || f.Err != nil && err.Error() != f.Err.Error() {
			t.Errorf("%q: the import says %v, and the rehearsal said %+v", user, err, f)
		}
	}
}

// It takes users as they come, and is over with the store, the context and the actor.
func TestRehearseImportEnds(t *testing.T) {
	t.Parallel()
	k := proving.New(t)
	im := enrollment.Import{Authenticators: []enrollment.ImportedAuthenticator{{Key: proving.TheirKey(t, "a", totp.Params{})}}}
	yielded := 0
	users := func(yield func(string, enrollment.Import) bool) {
		for i := range 1000 {
			if yielded = i + 1; !yield(fmt.Sprint(i), im) {
				return
			}
		}
	}
	broken := errors.New("the database is away")
	k.Store.Nth(proving.Load, 3, proving.Fails(broken)) // a dry run looks twice at each
	count, found, err := rehearsed(t, k.Guard.Admin("migration", "moving"), users)
	if !errors.Is(err, broken) || count.Users != 1 || len(found) != 1 || yielded != 2 {
		t.Errorf("%+v after %d, %v", count, yielded, err)
	}
	k.Store.Straighten()
	ctx, cancel := context.WithCancel(t.Context())
	count, err = k.Guard.Admin("migration", "moving").RehearseImport(ctx, users, func(enrollment.ImportFinding) { cancel() })
	if !errors.Is(err, context.Canceled) || count.Users != 1 {
		t.Errorf("%+v, %v", count, err)
	}
	for name, x := range map[string]enrollment.Admin{"no actor": k.Guard.Admin("", "moving"), "no Guard": {}} {
		if count, err := x.RehearseImport(t.Context(), users, nil); err == nil || count.Users != 0 {
			t.Errorf("%s: %+v, %v", name, count, err)
		}
	}
	if count, err := k.Guard.Admin("migration", "moving").RehearseImport(t.Context(), users, nil); err != nil || count.Imported != 1000 {
		t.Errorf("%+v, %v", count, err)
	}
}
