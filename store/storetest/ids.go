package storetest

import (
	"context"
	"fmt"
	"strings"

	"github.com/seed-1b6a03a1/twofactor/store"
)

// idCases test that the store never takes two users for one.
var idCases = []testCase{
	idCase("ids-case", "Ids are compared byte by byte: upper and lower case make different users.",
		"alice", "Alice", "ALICE", "aLICE", "straße", "STRASSE", "strasse", "i", "I", "ı", "İ"),
	idCase("ids-space", "Ids are compared byte by byte: spaces at the start and at the end make different users.",
		"alice", "alice ", "alice  ", " alice", "  alice", "alice\u00a0", "\u3000alice", "al ice", " ", "  "),
	idCase("ids-accents", "Ids are compared byte by byte: accents, wide letters, and characters that a collation ignores make different users.",
		"alice", "álice", "àlice", "alicé", "ａｌｉｃｅ", "al\u200dice", "alice\u200b", "\u202ealice", "аlice", "Álice", "ÁLICE", "😀", "😁"),
	idCase("ids-normalisation", "Ids are compared byte by byte: the composed and the decomposed form of a text are different users.",
		"\u00c1lice", "A\u0301lice", "\u00e9", "e\u0301", "\u212b", "\u00c5", "A\u030a", "ﬁ", "fi", "\u1100\u1161", "\uac00"),
	idCase("ids-syntax", "Ids have no meaning: no character in them is a pattern, a quote, an escape, a separator, a number or null.",
		"%", "_", "a%", "a_", "ab", "'", "''", `"`, "`", `\`, `\\`, `\'`, `'; --`, "a;b", "a/b", "a\\b", "a:b", "{a}b", "{a}", "*", "a*", "?", "?1", "$1", "@p1", ":a", "#", "[a]", "^a", "1", "01", "1.0", "+1", "1e0", "0x1", "null", "NULL", "true", "..", "."),
	idCase("ids-long", "Ids of up to 255 bytes are kept whole, even if characters have several bytes.",
		strings.Repeat("x", 255), strings.Repeat("x", 254), strings.Repeat("x", 254)+"y", "y"+strings.Repeat("x", 254),
		strings.Repeat("é", 127), strings.Repeat("é", 127)+"a", strings.Repeat("é", 127)+"b",
		strings.Repeat("😀", 63)+"abc", strings.Repeat("😀", 63)+"abd", strings.Repeat("€", 85), strings.Repeat("€", 84)+"₭",
		strings.Repeat(" ", 255), strings.Repeat(" ", 254)),
}

// idCase returns a case that saves a record for each id in one store.
func idCase(name, clause string, ids ...string) testCase {
	return testCase{name: name, clause: clause, check: func(ctx context.Context, s store.Store) error {
		for i, id := range ids {
			if r, err := s.Load(ctx, id); err == nil && r.Version >= 1 && r.Version <= int64(i) {
				return fmt.Errorf("Load(%q) returns the record of %q", id, ids[r.Version-1])
			}
			if err := first(absent(ctx, s, id), save(ctx, s, sample(id, int64(i)+1), 0)); err != nil {
				return err
			}
		}
		for i, id := range ids {
			if err := holds(ctx, s, sample(id, int64(i)+1)); err != nil {
				return err
			}
		}
		// A replacement changes one record only.
		for i, id := range ids {
			if err := save(ctx, s, sample(id, int64(i)+1001), int64(i)+1); err != nil {
				return err
			}
			for j, other := range ids {
				v := int64(j) + 1
				if j <= i {
					v += 1000
				}
				if j < i-1 || j > i+1 {
					continue // the neighbours are enough; all are checked below
				}
				if err := holds(ctx, s, sample(other, v)); err != nil {
					return fmt.Errorf("after %q was replaced: %w", id, err)
				}
			}
		}
		for i, id := range ids {
			if err := holds(ctx, s, sample(id, int64(i)+1001)); err != nil {
				return err
			}
		}
		e, ok := s.(store.Eraser)
		if !ok {
			return nil
		}
		if err := e.Erase(ctx, ids[0]); err != nil {
			return fmt.Errorf("Erase(%q) = %w, want nil", ids[0], err)
		}
		for i, id := range ids[1:] {
			if err := holds(ctx, s, sample(id, int64(i)+1002)); err != nil {
				return fmt.Errorf("after %q was erased: %w", ids[0], err)
			}
		}
		return absent(ctx, s, ids[0])
	}}
}
