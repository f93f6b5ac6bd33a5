package enrollment_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sources parses the package, without its tests.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := make(map[string]*ast.File)
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = f
	}
	return files
}

// literal returns the text of a string literal.
func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil && text != ""
}

// usedOperations are the names that edits are given: by a field op, by an
// assignment to one, or as an argument that stands for the parameter op.
func usedOperations(files map[string]*ast.File) []string {
	at := make(map[string]int) // which parameter of a function is op
	for _, f := range files {
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			n := 0
			for _, p := range fn.Type.Params.List {
				for _, id := range p.Names {
					if id.Name == "op" {
						at[fn.Name.Name] = n
					}
					n++
				}
			}
		}
	}
	var used []string
	add := func(e ast.Expr) {
		if text, ok := literal(e); ok && !slices.Contains(used, text) {
			used = append(used, text)
		}
	}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				if id, ok := n.Key.(*ast.Ident); ok && id.Name == "op" {
					add(n.Value)
				}
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if sel, ok := left.(*ast.SelectorExpr); ok && sel.Sel.Name == "op" && len(n.Lhs) == len(n.Rhs) {
						add(n.Rhs[i])
					}
				}
			case *ast.CallExpr:
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok {
					if i, ok := at[sel.Sel.Name]; ok && i < len(n.Args) {
						add(n.Args[i])
					}
				}
			}
			return true
		})
	}
	slices.Sort(used)
	return used
}

// documentedOperations are the names in the comment of Observation.Operation.
func documentedOperations(t *testing.T, f *ast.File) []string {
	t.Helper()
	var doc string
	ast.Inspect(f, func(n ast.Node) bool {
		if field, ok := n.(*ast.Field); ok && len(field.Names) == 1 && field.Names[0].Name == "Operation" {
			doc = field.Doc.Text()
		}
		return true
	})
	var names []string
	for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(doc, -1) {
		if m[1] != "" { // that of an event
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}

// Observation.Operation lists every operation by the name that it has in the log
// and in a metric, and no other.
func TestOperationsAreDocumented(t *testing.T) {
	t.Parallel()
	files := sources(t)
	used, documented := usedOperations(files), documentedOperations(t, files["observe.go"])
	if !slices.Equal(used, documented) {
		t.Errorf("the names in use are\n%q\nand those in the comment\n%q", used, documented)
	}
	if len(used) < 20 {
		t.Errorf("only %d operations were found", len(used))
	}
	for _, name := range used {
		if !regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`).MatchString(name) {
			t.Errorf("%q does not go without quotes", name)
		}
	}
}
