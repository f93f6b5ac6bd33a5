package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// valid returns a record that is as large as the contract allows.
func valid() store.Record {
	return store.Record{
		UserID:  strings.Repeat("u", store.MaxUserID),
		Version: store.MaxVersion,
		State:   store.Disabled,
		Due:     time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		Data:    make([]byte, store.MaxData),
	}
}

func TestRecordBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		edit  func(r *store.Record)
		field string // that the error names; empty for a valid record
	}{
		{"the largest", func(*store.Record) {}, ""},
		{"the smallest", func(r *store.Record) { *r = store.Record{UserID: "u", Version: 1, State: store.None} }, ""},
		{"before 1970", func(r *store.Record) { r.Updated = time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC) }, ""},
		{"no id", func(r *store.Record) { r.UserID = "" }, "UserID"},
		{"long id", func(r *store.Record) { r.UserID += "u" }, "UserID"},
		{"version 0", func(r *store.Record) { r.Version = 0 }, "Version"},
		{"negative version", func(r *store.Record) { r.Version = -1 }, "Version"},
		{"large version", func(r *store.Record) { r.Version++ }, "Version"},
		{"zero state", func(r *store.Record) { r.State = 0 }, "State"},
		{"undefined state", func(r *store.Record) { r.State++ }, "State"},
		{"due too late", func(r *store.Record) { r.Due = r.Due.Add(1) }, "Due"},
		{"due too late in UTC only", func(r *store.Record) {
			r.Due = time.Date(9999, 12, 31, 23, 30, 0, 0, time.FixedZone("", -3600))
		}, "Due"},
		{"updated too early", func(r *store.Record) { r.Updated = time.Time{}.Add(-1) }, "Updated"},
		{"updated far too early", func(r *store.Record) { r.Updated = time.Unix(-1<<62, 0) }, "Updated"},
		{"long data", func(r *store.Record) { r.Data = append(r.Data, 0) }, "Data"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := valid()
			c.edit(&r)
			for name, err := range map[string]error{"Validate": r.Validate(), "ValidateSave": store.ValidateSave(r, 5)} {
				if c.field == "" && err != nil {
					t.Errorf("%s = %v, want nil", name, err)
				}
				if c.field != "" && (!errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), c.field)) {
					t.Errorf("%s = %v, want ErrInvalid that names %s", name, err, c.field)
				}
			}
		})
	}
}

func TestValidateSave(t *testing.T) {
	t.Parallel()
	for prev, good := range map[int64]bool{
		0: true, 1: true, store.MaxVersion - 1: true,
		store.MaxVersion:     false, // the version itself
		store.MaxVersion + 1: false, -1: false, -1 << 63: false,
	} {
		if err := store.ValidateSave(valid(), prev); good != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("ValidateSave(prev %d) = %v, want nil: %v", prev, err, good)
		}
	}
}

func TestValidateUserID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"a", " ", "alice ", "\u00c1lice", "A\u0301lice", "%_'\"\\", "\U0001F600", "\u200b", "\u202e", "\ufeff", "\ufffd",
		strings.Repeat("\u00e9", store.MaxUserID/2),
	} {
		if err := store.ValidateUserID(id); err != nil {
			t.Errorf("ValidateUserID(%q) = %v, want nil", id, err)
		}
	}
	for _, id := range []string{
		"", strings.Repeat("\u00e9", store.MaxUserID/2+1), "CANARY\x00", "CANARY\n", "CANARY\x7f", "CANARY\u0085", "CANARY\xff", "CANARY\xc3", "CANARY\xed\xa0\x80",
	} {
		err := store.ValidateUserID(id)
		if !errors.Is(err, store.ErrInvalid) {
			t.Errorf("ValidateUserID(%q) = %v, want ErrInvalid", id, err)
		} else if strings.Contains(err.Error(), "CANARY") {
			t.Errorf("%v quotes the id", err)
		}
	}
}

func TestQueryBounds(t *testing.T) {
	t.Parallel()
	ids := make([]string, store.MaxPage+1)
	for i := range ids {
		ids[i] = "a"
	}
	for name, c := range map[string]struct {
		q    store.Query
		good bool
	}{
		"zero":         {store.Query{}, true},
		"full":         {store.Query{UserIDs: ids[1:], States: []store.State{store.None, store.None}, DueBy: valid().Due, Limit: store.MaxPage}, true},
		"no ids":       {store.Query{UserIDs: []string{}}, true},
		"Limit -1":     {store.Query{Limit: -1}, false},
		"Limit 1001":   {store.Query{Limit: store.MaxPage + 1}, false},
		"1001 ids":     {store.Query{UserIDs: ids}, false},
		"empty id":     {store.Query{UserIDs: []string{"a", ""}}, false},
		"zero State":   {store.Query{States: []store.State{store.None, 0}}, false},
		"large State":  {store.Query{States: []store.State{store.Disabled + 1}}, false},
		"DueBy beyond": {store.Query{DueBy: valid().Due.Add(1)}, false},
	} {
		if err := c.q.Validate(); c.good != (err == nil) || err != nil && !errors.Is(err, store.ErrInvalid) {
			t.Errorf("%s: Validate = %v, want nil: %v", name, err, c.good)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	for state, name := range map[store.State]string{store.None: "none", store.Pending: "pending", store.Confirmed: "confirmed", store.Disabled: "disabled"} {
		got, err := store.ParseState(name)
		if !state.Valid() || state.String() != name || got != state || err != nil {
			t.Errorf("%v: Valid %v, ParseState(%q) = %v, %v", state, state.Valid(), name, got, err)
		}
	}
	for _, state := range []store.State{0, store.Disabled + 1, 255} {
		if want := fmt.Sprintf("State(%d)", uint8(state)); state.Valid() || state.String() != want {
			t.Errorf("%v: Valid %v, want an invalid %s", state, state.Valid(), want)
		}
	}
	for _, name := range []string{"", "None", "CONFIRMED", "confirmed ", "State(0)", "CANARY"} {
		if got, err := store.ParseState(name); got != 0 || !errors.Is(err, store.ErrInvalid) || strings.Contains(err.Error(), "CANARY") {
			t.Errorf("ParseState(%q) = %v, %v, want ErrInvalid without the name", name, got, err)
		}
	}
}

// TestErrorsMatchWhenWrapped holds what callers rely on, and that the three
// are told apart.
func TestErrorsMatchWhenWrapped(t *testing.T) {
	t.Parallel()
	all := []error{store.ErrNotFound, store.ErrConflict, store.ErrInvalid}
	for i, err := range all {
		for j, other := range all {
			if got := errors.Is(fmt.Errorf("doing x: %w", err), other); got != (i == j) {
				t.Errorf("wrapped %v matches %v: %v", err, other, got)
			}
		}
	}
}

func TestStateText(t *testing.T) {
	t.Parallel()
	for s := store.None; s <= store.Disabled; s++ {
		text, err := json.Marshal(s)
		var again store.State
		if err != nil || string(text) != `"`+s.String()+`"` || json.Unmarshal(text, &again) != nil || again != s {
			t.Errorf("%v is marshalled as %s and read as %v, %v", s, text, again, err)
		}
	}
	if _, err := store.State(0).MarshalText(); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("the zero State marshals: %v", err)
	}
	if err := new(store.State).UnmarshalText([]byte("Confirmed")); !errors.Is(err, store.ErrInvalid) {
		t.Errorf("another text: %v", err)
	}
}
