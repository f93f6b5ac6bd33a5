package listing_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/store"
	"github.com/seed-1b6a03a1/twofactor/store/internal/listing"
)

func TestRow(t *testing.T) {
	t.Parallel()
	whole := store.Record{UserID: "alice", Version: 7, State: store.Confirmed, Data: []byte("CANARY")}
	bad := errors.New("a row has a state that is not defined")
	for _, c := range []struct {
		row    store.Record
		err    error
		want   store.Record
		listed bool
	}{
		{whole, nil, whole, true},
		{whole, bad, store.Record{UserID: "alice"}, true},
		{store.Record{UserID: strings.Repeat("x", 256)}, bad, store.Record{UserID: strings.Repeat("x", 256)}, false},
		{store.Record{UserID: "a\x00"}, bad, store.Record{UserID: "a\x00"}, false},
	} {
		if got, listed := listing.Row(c.row, c.err); !reflect.DeepEqual(got, c.want) || listed != c.listed {
			t.Errorf("Row(%.20q, %v) = %+v, %v", c.row.UserID, c.err, got, listed)
		}
	}
}
