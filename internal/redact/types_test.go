package redact_test

import (
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/seed-1b6a03a1/twofactor"
	here   = module + "/internal/redact"
)

// shownOnPurpose lists the exported types that hold secrets in clear, or none although
// they could.
var shownOnPurpose = map[string]string{
	module + "/enrollment/web.SignedIn":        "its Success has no Receipt and no NewCode",
	module + "/enrollment/enrollmenttest.User": "a test of a host reads the codes of its users",
}

// TestNoTypeIsForgotten finds every exported type of the module's public
// packages that holds a secret, and wants a sample of each.
func TestNoTypeIsForgotten(t *testing.T) {
	t.Parallel()
	found := secretTypes(t)
	var sampled []string
	for _, s := range samples(t) {
		sampled = append(sampled, s.name)
	}
	for _, name := range found {
		if !slices.Contains(sampled, name) && shownOnPurpose[name] == "" {
			t.Errorf("%s holds a secret and has no sample in this test", name)
		}
	}
	for _, name := range append(sampled, slices.Collect(maps.Keys(shownOnPurpose))...) {
		if !slices.Contains(found, name) {
			t.Errorf("%s is not found to hold a secret", name)
		}
	}
}

// secretTypes returns the names of the exported types in whose fields, at any
// depth, there is a Value, a Token, or a type that redacts itself.
func secretTypes(t *testing.T) (names []string) {
	t.Helper()
	for path, pkg := range publicPackages(t) {
		scope := pkg.Scope()
		for _, name := range scope.Names() {
			object, ok := scope.Lookup(name).(*types.TypeName)
			if ok && object.Exported() && holdsSecret(object.Type(), map[types.Type]bool{}) {
				names = append(names, path+"."+name)
			}
		}
	}
	if len(names) == 0 {
		t.Fatal("no type holds a secret")
	}
	return names
}

func holdsSecret(t types.Type, seen map[types.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		return holdsSecret(types.Unalias(t), seen)
	case *types.Named:
		pkg := t.Obj().Pkg()
		switch {
		case pkg == nil || !strings.HasPrefix(pkg.Path(), module):
			return false
		case pkg.Path() == here:
			return true
		}
		return holdsSecret(t.Underlying(), seen)
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); f.Name() == "redacted" || holdsSecret(f.Type(), seen) {
				return true
			}
		}
	case *types.Map:
		return holdsSecret(t.Key(), seen) || holdsSecret(t.Elem(), seen)
	case interface{ Elem() types.Type }: // pointers, slices, arrays, channels
		return holdsSecret(t.Elem(), seen)
	}
	return false
}

// publicPackages returns the packages that a host can import, with their types.
func publicPackages(t *testing.T) map[string]*types.Package {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Name}} {{.Export}}", "./...")
	list.Dir = "../.."
	// The go command may compile, which is nothing to do where only approved
	// algorithms are allowed.
	list.Env = append(os.Environ(), "GODEBUG=")
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v", list, err)
	}
	var public []string
	exports := make(map[string]string) // files of import paths
	for line := range strings.Lines(string(out)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, file, _ := strings.Cut(rest, " ")
		exports[path] = file
		if strings.HasPrefix(path+"/", module+"/") && !strings.Contains(path, "/internal/") && name != "main" {
			public = append(public, path)
		}
	}
	from := importer.ForCompiler(token.NewFileSet(), "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	packages := make(map[string]*types.Package)
	for _, path := range public {
		pkg, err := from.Import(path)
		if err != nil {
			t.Fatal(err)
		}
		packages[path] = pkg
	}
	return packages
}
