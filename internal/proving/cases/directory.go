package cases

import (
	"encoding/csv"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/enrollment"
	"github.com/seed-1b6a03a1/twofactor/enrollment/report"
	"github.com/seed-1b6a03a1/twofactor/internal/proving"
)

// Cases about what administrators see.

// TestCase57_CSVFormulas: names that a spreadsheet program takes for formulas
// were exported as they are (OWASP, CSV Injection).
func TestCase57_CSVFormulas(t *testing.T, open proving.Open) {
	k := proving.Over(t, open(t))
	formulas := []string{"=1+1", "+49170", "-1", "@SUM(A1)", "=HYPERLINK(\"http://x\",\"y\")", "＝1", " =1", "a;=1"}
	for _, id := range formulas {
		k.Enroll(id)
	}
	// No user id begins with a tab or a return: the library refuses it.
	for _, id := range []string{"\t=1", "\r=1", "\n=1"} {
		if _, err := k.Guard.Begin(t.Context(), id, enrollment.BeginOptions{Account: "a", Proof: enrollment.ByReauth("password")}); err == nil {
			t.Errorf("the user id %q was accepted", id)
		}
	}
	// A name of the host's can.
	name := report.Column{Header: "name", Value: func(m enrollment.Member) string { return "\t" + m.UserID }}
	var b strings.Builder
	written, err := report.WriteCSV(&b, k.Directory().All(t.Context(), enrollment.Filter{}), name)
	if err != nil || written.Rows != len(formulas) {
		t.Fatal(written, err)
	}
	rows, err := csv.NewReader(strings.NewReader(b.String())).ReadAll()
	if err != nil || len(rows) != 1+len(formulas) {
		t.Fatal(rows, err)
	}
	seen := make(map[string]bool)
	for _, row := range rows {
		seen[strings.ReplaceAll(row[0], "'", "")] = true
		for _, cell := range row {
			for part := range strings.SplitSeq(cell, ";") {
				if bare := strings.TrimSpace(part); bare != "" && strings.ContainsRune("=+-@＝", []rune(bare)[0]) || cell != "" && cell[0] == '\t' {
					t.Errorf("the cell %q is a formula", cell)
				}
			}
		}
	}
	for _, id := range formulas {
		if !seen[id] {
			t.Errorf("%q is not in the export", id)
		}
	}
}
