package sqlstore

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// DefaultTable is the name of the table that [New] uses.
const DefaultTable = "twofactor_accounts"

// Longest names in bytes. PostgreSQL cuts longer ones off silently, and the
// names of indexes and of the version table are made from the table's.
const (
	maxName  = 63
	maxTable = maxName - len(suffixVersion)
)

// Suffixes of the names that are made from the table's.
const (
	suffixVersion = "_version"
	suffixDue     = "_due"
	suffixState   = "_state"
)

// nameRE is what a name may be: nothing that needs an escape inside quotes,
// and no capitals, which mean one thing in quotes and another without.
var nameRE = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// A table is the valid name of a table.
type table struct {
	schema string // or empty
	name   string
}

// quoted returns the name, with the suffix, as it stands in a statement.
func (t table) quoted(suffix string) string {
	if t.schema == "" {
		return `"` + t.name + suffix + `"`
	}
	return `"` + t.schema + `"."` + t.name + suffix + `"`
}

// expand puts the names into a statement of a grammar's ddl. The name of an
// index is never qualified: it lives in the schema of its table.
func (t table) expand(statement string) string {
	return strings.NewReplacer(
		"{table}", t.quoted(""),
		"{table_version}", t.quoted(suffixVersion),
		"{index_due}", `"`+t.name+suffixDue+`"`,
		"{index_state}", `"`+t.name+suffixState+`"`,
	).Replace(statement)
}

// parseTable returns the grammar and the name, or says what is wrong with
// them.
func parseTable(d Dialect, name string) (grammar, table, error) {
	g, ok := grammars[d]
	if !ok {
		return grammar{}, table{}, fmt.Errorf("sqlstore: %v is not a dialect", d)
	}
	var t table
	schema, rest, qualified := strings.Cut(name, ".")
	if qualified {
		if !g.schemas {
			return g, t, fmt.Errorf("sqlstore: the table's name must not be qualified for %v", d)
		}
		if len(schema) > maxName || !nameRE.MatchString(schema) {
			return g, t, fmt.Errorf("sqlstore: the schema's name must be 1 to %d of a-z, 0-9 and _, not beginning with a digit", maxName)
		}
		t.schema, name = schema, rest
	}
	if len(name) > maxTable || !nameRE.MatchString(name) {
		return g, t, fmt.Errorf("sqlstore: the table's name must be 1 to %d of a-z, 0-9 and _, not beginning with a digit", maxTable)
	}
	if strings.HasPrefix(name, "sqlite_") {
		return g, t, errors.New("sqlstore: names that begin with sqlite_ are reserved")
	}
	t.name = name
	return g, t, nil
}

// Schema returns the statements, each ended by a semicolon, that make the
// table for a host's own migrations: the table itself, its indexes, and a
// table of one row that says which version of the schema this is. They change
// nothing if all that is already there.
//
// The name may be empty for [DefaultTable]. It consists of at most 55 small
// letters, digits and underscores, does not begin with a digit, and may be
// qualified with a schema for PostgreSQL. Schema returns an error for another
// name and for an invalid dialect.
func Schema(d Dialect, tableName string) (string, error) {
	if tableName == "" {
		tableName = DefaultTable
	}
	g, t, err := parseTable(d, tableName)
	if err != nil {
		return "", err
	}
	return strings.Join(t.statements(g), ";\n\n") + ";\n", nil
}

// statements returns the grammar's ddl for the table.
func (t table) statements(g grammar) []string {
	all := make([]string, len(g.ddl))
	for i, s := range g.ddl {
		all[i] = t.expand(s)
	}
	return all
}
