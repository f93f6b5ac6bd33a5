package features_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-1b6a03a1/twofactor/internal/proving"
	"github.com/seed-1b6a03a1/twofactor/internal/proving/features"
)

// featureRows are the handles of the features in FEATURES.md. optInRows are those
// that weaken something and are off by default.
var (
	featureRows = strings.Fields(`F1 F2 F3 F4 F5 F6 F7 S1 S2 S3 S4 R1 R2 R3 R4 R5 R6
		T1 T2 T3 T4 T5 T6 A1 A2 A3 A4 A5 A6 A7
		X1 X2 X3 X4 X5 X6 X7 X8 X9 X10 X11 X12 X13 X14 X15 X16 X17 X18 N1 N2 N3 N4 N5 N6 N7 N8
		N9 N10 N11 N12 N13 N14 N15 N16`)
	optInRows = strings.Fields("N11 R2 R6 T1 T3 T6 A3 A4 X3 X6 N7 N13")
)

func TestAll(t *testing.T) {
	t.Parallel()
	proving.Run(t, proving.Memory, features.Tests)
}

// Each feature has one row in FEATURES.md and at least one test. The calls and
// options that a row names exist.
func TestFeatures(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(proving.Source(t, "enrollment", "FEATURES.md"))
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string]names{}
	for name, dir := range map[string]string{
		"": "enrollment", "keyring": "enrollment/keyring", "report": "enrollment/report", "recovery": "recovery", "totp": "totp",
		"store": "store", "storetest": "store/storetest", "memory": "store/memory", "sqlstore": "store/sqlstore",
		"redisstore": "store/redisstore", "boltstore": "store/boltstore", "storekit": "store/storekit",
		"hosttest": "enrollment/hosttest", "web": "enrollment/web",
		"wording":  "enrollment/wording",
		"operator": "enrollment/operator",
	} {
		packages[name] = declared(t, dir, false)
	}

	var rows []string
	named := map[string]bool{}
	for line := range strings.Lines(string(source)) {
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "| feature |") || strings.HasPrefix(line, "|---") {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			t.Fatalf("%d cells in %q", len(cells), line)
		}
		row := strings.TrimSpace(cells[3])
		rows = append(rows, row)
		name := featureName.FindStringSubmatch(cells[0])
		if name == nil || named[name[1]] {
			t.Errorf("%s has no name of its own: %q", row, cells[0])
			continue
		}
		named[name[1]] = true
		calls := quoted.FindAllStringSubmatch(cells[1], -1)
		if len(calls) == 0 {
			t.Errorf("%s names no call", row)
		}
		options := quoted.FindAllStringSubmatch(cells[2], -1)
		if slices.Contains(optInRows, row) && len(options) == 0 {
			t.Errorf("%s is opt-in, but the row does not say how", row)
		}
		for _, match := range slices.Concat(calls, options) {
			name, in := match[1], packages[""]
			if prefix, rest, ok := strings.Cut(name, "."); ok && packages[prefix] != nil {
				name, in = rest, packages[prefix]
			}
			if !in[name] {
				t.Errorf("%s names %s, which does not exist", row, match[1])
			}
		}
	}
	if slices.Sort(rows); !slices.Equal(rows, slices.Sorted(slices.Values(featureRows))) {
		t.Errorf("the rows are\n%q, want\n%q in any order", rows, featureRows)
	}

	tested := map[string]bool{}
	for name := range declared(t, "internal/proving/features", false) {
		if match := testName.FindStringSubmatch(name); match != nil {
			tested[match[1]] = true
		}
	}
	for _, row := range featureRows {
		if !tested[row] {
			t.Errorf("there is no TestFeature%s_…", row)
		}
		delete(tested, row)
	}
	for row := range tested {
		t.Errorf("there is a test of %s, which is no row", row)
	}
}

// MOVING.md names examples, calls and reasons. All of those exist.
func TestMovingNames(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile(proving.Source(t, "enrollment", "MOVING.md"))
	if err != nil {
		t.Fatal(err)
	}
	here, inTotp, tests := declared(t, "enrollment", false), declared(t, "totp", false), declared(t, "enrollment", true)
	types := map[string]bool{}
	for name := range here {
		typeName, _, _ := strings.Cut(name, ".")
		types[typeName] = true
	}
	checked := 0
	for _, match := range quoted.FindAllStringSubmatch(string(source), -1) {
		name, found := match[1], false
		first, rest, dotted := strings.Cut(name, ".")
		switch {
		case strings.HasPrefix(name, "Example"):
			found = tests[name]
		case dotted && first == "totp":
			found = inTotp[rest] || rest == "Validate" || rest == "Generate" // those of pquerna/otp
		case dotted && types[first], strings.HasPrefix(name, "Reason"):
			found = here[name]
		default:
			continue
		}
		if checked++; !found {
			t.Errorf("there is no %s", name)
		}
	}
	if checked < 30 {
		t.Errorf("only %d names were checked", checked)
	}
}

var (
	featureName = regexp.MustCompile(`^ \*\*(.+?)\*\*`)
	quoted      = regexp.MustCompile("`([^`]+)`")
	testName    = regexp.MustCompile(`^TestFeature([A-Z]\d+)_`)
)

// names are the exported names of a package: functions, types, values, and
// Type.Name for methods and fields.
type names map[string]bool

// declared reads the names that the files of a folder of this module declare:
// its tests, or all others.
func declared(t *testing.T, dir string, tests bool) names {
	t.Helper()
	dir = proving.Source(t, filepath.FromSlash(dir))
	all := names{}
	files, err := fs.Glob(os.DirFS(dir), "*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s, %v", dir, err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") != tests {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				all.add(receiver(d), d.Name)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					all.addSpec(spec)
				}
			}
		}
	}
	return all
}

func (n names) add(typeName string, id *ast.Ident) {
	switch {
	case !id.IsExported():
	case typeName == "":
		n[id.Name] = true
	default:
		n[typeName+"."+id.Name] = true
	}
}

func (n names) addSpec(spec ast.Spec) {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		for _, id := range spec.Names {
			n.add("", id)
		}
	case *ast.TypeSpec:
		n.add("", spec.Name)
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return
		}
		for _, f := range fields.Fields.List {
			for _, id := range f.Names {
				n.add(spec.Name.Name, id)
			}
		}
	}
}

// receiver returns the name of the type that a method belongs to, "" for a
// function.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	id, ok := of.(*ast.Ident)
	if !ok {
		return "?"
	}
	return id.Name
}
