package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A pkg is a package to change, with what it takes to check its types again.
type pkg struct {
	name    string // its folder, below the root
	path    string
	dir     string
	fset    *token.FileSet
	files   []*ast.File
	sources map[*ast.File][]byte
	names   map[*ast.File]string // below the root
	info    *types.Info
	exports map[string]string // the compiled packages that it imports, by path

	tests []test // which hold it, the quickest first
}

// load reads a package and checks its types.
func (l *lab) load(ctx context.Context, name string) (*pkg, error) {
	listed, err := l.goList(ctx, "-export", "-deps", "-json=ImportPath,Dir,GoFiles,Export", "./"+name)
	if err != nil {
		return nil, err
	}
	target := listed[len(listed)-1] // behind what it depends on
	p := &pkg{
		name:    name,
		path:    target.ImportPath,
		dir:     target.Dir,
		fset:    token.NewFileSet(),
		sources: map[*ast.File][]byte{},
		names:   map[*ast.File]string{},
		exports: map[string]string{},
	}
	for _, dep := range listed {
		p.exports[dep.ImportPath] = dep.Export
	}
	for _, file := range target.GoFiles {
		source, err := os.ReadFile(filepath.Join(target.Dir, file))
		if err != nil {
			return nil, err
		}
		f, err := parser.ParseFile(p.fset, file, source, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, f)
		p.sources[f] = source
		p.names[f] = name + "/" + file
	}
	p.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	if err := p.check(p.files, p.info); err != nil {
		return nil, err
	}
	return p, nil
}

// check checks the types of the package, made of these files.
func (p *pkg) check(files []*ast.File, info *types.Info) error {
	config := types.Config{Importer: importer.ForCompiler(p.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(p.exports[path])
	})}
	_, err := config.Check(p.path, p.fset, files, info)
	return err
}

// compiles reports whether the package is still Go with the change.
func (m *mutant) compiles() bool {
	f, err := parser.ParseFile(m.pkg.fset, m.file, m.apply(), parser.SkipObjectResolution)
	if err != nil {
		return false
	}
	files := slices.Clone(m.pkg.files)
	files[slices.Index(files, m.in)] = f
	return m.pkg.check(files, nil) == nil
}

type listed struct {
	ImportPath, Dir, Export            string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

func (l *lab) goList(ctx context.Context, args ...string) ([]listed, error) {
	cmd := l.command(ctx, append([]string{"list"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	var all []listed
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var one listed
		switch err := d.Decode(&one); err {
		case nil:
			all = append(all, one)
		case io.EOF:
			if len(all) == 0 {
				return nil, fmt.Errorf("go list %s: no packages", strings.Join(args, " "))
			}
			return all, nil
		default:
			return nil, err
		}
	}
}
