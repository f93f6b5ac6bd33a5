package formats_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/totp"
)

// The code of a hardware token is looked for by the token's own clock, one step around it,
// and by no other.
func TestVectorOffsets(t *testing.T) {
	t.Parallel()
	skipWithoutSHA1(t)
	for _, v := range readVectors[vectorRecord](t, "offset_records.json") {
		if v.Refused != "" {
			continue // see TestVectorRecords
		}
		x := v.Account.Authenticators[0]
		if !x.Hardware || x.secondCode(v.Now, 0) != v.Code {
			t.Errorf("%s: the second implementation has the code %s", v.Name, x.secondCode(v.Now, 0))
		}
		for steps := range int64(51) {
			steps -= 25
			code := x.secondCode(v.Now, steps)
			_, err := v.guard(t, v.Keys, v.Namespace, v.Now).Verify(t.Context(), v.UserID, "x", code)
			switch {
			case -1 <= steps && steps <= 1:
				if err != nil {
					t.Errorf("%s: the code of %d steps later: %v", v.Name, steps, err)
				}
			case !errors.Is(err, enrollment.ErrWrongCode):
				t.Errorf("%s: the code of %d steps later: %v, want a wrong code", v.Name, steps, err)
			}
		}
	}
}

// writeOffsets makes the vectors of a hardware token whose clock is ahead or behind.
func (w *vectorWorld) writeOffsets() {
	x := w.other()
	x.makeOffsets()
	x.refuseOffsets()
	writeVectors(x, "offset_records.json", x.records)
}

func (w *vectorWorld) makeOffsets() {
	ctx := w.t.Context()
	w.open()
	secret, err := totp.NewSecret([]byte("12345678901234567890"))
	w.must(err)
	token, err := totp.NewKey(secret, totp.Params{Digits: 8})
	w.must(err)
	setup, err := w.guard.Begin(ctx, vectorUser, enrollment.BeginOptions{HardwareToken: token, Name: "26-0417", Proof: enrollment.ByReauth("password")})
	w.must(err)
	code, err := token.Code(w.now)
	w.must(err)
	done, err := w.guard.Confirm(ctx, vectorUser, setup.Token, code)
	w.must(err)
	status, err := w.guard.Status(ctx, vectorUser)
	w.must(err)
	keep := func(name string) {
		w.now = w.now.Add(2 * time.Minute)
		w.record(name, vectorUser)
		v := &w.records[len(w.records)-1]
		v.Code = v.Account.Authenticators[0].secondCode(v.Now, 0)
	}
	keep("a hardware token without an offset")
	for i, c := range []struct {
		name   string
		offset time.Duration
	}{{"a hardware token that is behind", -3 * time.Minute}, {"a hardware token that is ahead", 10 * time.Minute}} {
		w.now = w.now.Add(10 * time.Minute)
		proof := enrollment.ByCode(done.Codes.Reveal()[i])
		w.must(w.guard.ThreeCodes().Resynchronize(ctx, vectorUser, status.Authenticators[0].ID, proving.Three(token, w.now.Add(c.offset)), proof))
		keep(c.name)
	}
}

// refuseOffsets makes records of one with an offset that must be refused: misplaced ones,
// and ones whose offset is too large.
func (w *vectorWorld) refuseOffsets() {
	good := w.records[2]
	w.misplace(good, "offset: of another user", "offset: of another state")
	plain, err := secondRecord(secondKeys(good.Keys), good.Namespace, good.UserID, good.Version, good.State.String(), good.Data)
	w.must(err)
	field := func(offset int64) []byte { return binary.BigEndian.AppendUint64([]byte{10, 0, 8}, uint64(offset)) }
	from := field(good.Account.Authenticators[0].Offset)
	if bytes.Count(plain, from) != 1 {
		w.t.Fatal("the offset is not where it should be")
	}
	scope := secondParts("twofactor record v1", good.Namespace, good.UserID)
	number := binary.BigEndian.AppendUint64(nil, uint64(good.Version))
	binding := append(bytes.Clone(scope), secondParts(string(number), good.State.String())...)
	for _, c := range []struct {
		name   string
		offset int64
	}{{"10:30 minutes ahead", 21}, {"10:30 minutes behind", -21}} {
		sealed, err := w.ring.Seal(w.t.Context(), scope, binding, bytes.Replace(plain, from, field(c.offset), 1))
		w.must(err)
		v := good
		v.Name, v.Refused, v.Account, v.Code = c.name, "an offset of more than ten minutes", nil, ""
		v.Data = append(sealed, good.Data[len(good.Data)-4:]...)
		w.records = append(w.records, v)
	}
}
