package totp_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-1b6a03a1/twofactor/totp"
)

// A vector is one published code. Unix is absent where the source counts steps.
type vector struct {
	Algorithm string `json:"algorithm"`
	Seed      string `json:"seed"` // ASCII
	Digits    int    `json:"digits"`
	Unix      *int64 `json:"unix"`
	Step      int64  `json:"step"`
	Code      string `json:"code"`
}

// loadVectors returns the vectors of every file in testdata by the name of the
// file. It fails if there are none.
func loadVectors(t *testing.T) map[string][]vector {
	t.Helper()
	files, err := filepath.Glob("testdata/rfc*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("vectors of two RFCs expected, found %d: %v", len(files), err)
	}
	all := make(map[string][]vector)
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var content struct {
			Source  string   `json:"source"`
			Vectors []vector `json:"vectors"`
		}
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&content); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if content.Source == "" || len(content.Vectors) == 0 {
			t.Fatalf("%s names no source or has no vectors", file)
		}
		all[filepath.Base(file)] = content.Vectors
	}
	return all
}

func (v vector) key(t *testing.T) totp.Key {
	t.Helper()
	a, err := totp.ParseAlgorithm(v.Algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return mustKey(t, []byte(v.Seed), totp.Params{Algorithm: a, Digits: v.Digits})
}

func TestVectors(t *testing.T) {
	t.Parallel()
	for file, vectors := range loadVectors(t) {
		for _, v := range vectors {
			t.Run(fmt.Sprintf("%s/%s/%d", file, v.Algorithm, v.Step), func(t *testing.T) {
				t.Parallel()
				key := v.key(t)
				at := key.StepTime(v.Step)
				if v.Unix != nil {
					at = time.Unix(*v.Unix, 0)
				}
				if got := key.Step(at); got != v.Step {
					t.Errorf("Step = %d, want %d", got, v.Step)
				}
				if got := mustCode(t, key, at); got != v.Code {
					t.Errorf("Code = %s, want %s", got, v.Code)
				}
				step, err := key.Check(v.Code, at, 0)
				if v.Step == 0 { // the counter that time steps never accept
					if step != 0 || err == nil {
						t.Errorf("Check = %d, %v, want an error", step, err)
					}
					return
				}
				if step != v.Step || err != nil {
					t.Errorf("Check = %d, %v, want %d", step, err, v.Step)
				}
				if _, err := key.Check(v.Code, at, v.Step); !errors.Is(err, totp.ErrReplayed) {
					t.Errorf("Check of a used code: %v", err)
				}
			})
		}
	}
}
