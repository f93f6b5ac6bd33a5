package sqlstore

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// DefaultTable is the name of the table that [New] uses.
const DefaultTable = "twofactor_accounts"

// Lengths of the longest names in bytes. PostgreSQL silently cuts off longer
// names. The names of the indexes and of the version table begin with the
// table's name.
const (
	maxName  = 63
	maxTable = maxName - len(suffixVersion)
)

// Suffixes of the names that begin with the table's name.
const (
	suffixVersion = "_version"
	suffixDue     = "_due"
	suffixState   = "_state"
)

// nameRE matches names that need no escape inside quotes. Capitals are not
// allowed, because they mean one thing in quotes and another without.
var nameRE = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// A table is a valid name of a table.
type table struct {
	schema string // or empty
	name   string
	quote  string // of the dialect
}

// quoted returns the name with the suffix as a statement has it.
func (t table) quoted(suffix string) string {
	if t.schema == "" {
		return t.bare(suffix)
	}
	return t.quote + t.schema + t.quote + "." + t.bare(suffix)
}

// bare is quoted without a schema.
func (t table) bare(suffix string) string {
	return t.quote + t.name + suffix + t.quote
}

// expand puts the names into a statement of a grammar's ddl. An index is in the
// schema of its table, so its name never has a schema in front.
func (t table) expand(statement string) string {
	return strings.NewReplacer(
		"{table}", t.quoted(""),
		"{table_version}", t.quoted(suffixVersion),
		"{index_due}", t.bare(suffixDue),
		"{index_state}", t.bare(suffixState),
	).Replace(statement)
}

// parseTable returns the grammar and the name, or an error that says what is
// wrong with them.
func parseTable(d Dialect, name string) (grammar, table, error) {
	g, ok := grammars[d]
	if !ok {
		return grammar{}, table{}, fmt.Errorf("sqlstore: %v is not a valid dialect", d)
	}
	t := table{quote: g.quote}
	schema, rest, qualified := strings.Cut(name, ".")
	if qualified {
		if !g.schemas {
			return g, t, fmt.Errorf("sqlstore: with %v, the name of the table must not have a schema in front", d)
		}
		if len(schema) > maxName || !nameRE.MatchString(schema) {
			return g, t, fmt.Errorf("sqlstore: the name of the schema must have 1 to %d of the characters a-z, 0-9 and _, and must not begin with a digit", maxName)
		}
		t.schema, name = schema, rest
	}
	if len(name) > maxTable || !nameRE.MatchString(name) {
		return g, t, fmt.Errorf("sqlstore: the name of the table must have 1 to %d of the characters a-z, 0-9 and _, and must not begin with a digit", maxTable)
	}
	if strings.HasPrefix(name, "sqlite_") {
		return g, t, errors.New("sqlstore: the name of the table must not begin with sqlite_, which SQLite reserves")
	}
	t.name = name
	return g, t, nil
}

// Schema returns the statements that create the table, for an application's own
// migrations. Each ends with a semicolon. They create the table, its indexes, and a
// table with one row that holds the version of the schema. They change nothing if all
// of that exists already.
//
// An empty name means [DefaultTable]. A name has at most 55 lower-case letters,
// digits and underscores, and does not begin with a digit. With PostgreSQL it may
// have a schema in front, for example "auth.accounts", and with MySQL a database.
// Schema returns an error for any other name and for an invalid dialect.
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
