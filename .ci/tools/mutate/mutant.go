package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// A mutant is a package with one change: from start to end, the source of a file
// reads as text.
type mutant struct {
	pkg        *pkg
	in         *ast.File
	file       string // its name, below the root
	function   string // that the change is in, or empty
	start, end int
	text       string
}

func (m *mutant) apply() []byte {
	source := m.pkg.sources[m.in]
	return slices.Concat(source[:m.start], []byte(m.text), source[m.end:])
}

func (m *mutant) line() int {
	return 1 + bytes.Count(m.pkg.sources[m.in][:m.start], []byte("\n"))
}

// diff returns the lines of the change, each as one.
func (m *mutant) diff() (before, after string) {
	source := m.pkg.sources[m.in]
	from := bytes.LastIndexByte(source[:m.start], '\n') + 1
	to := len(source)
	if i := bytes.IndexByte(source[m.end:], '\n'); i >= 0 {
		to = m.end + i
	}
	one := func(parts ...[]byte) string {
		return strings.Join(strings.Fields(string(slices.Concat(parts...))), " ")
	}
	return one(source[from:to]), one(source[from:m.start], []byte(m.text), source[m.end:to])
}

func (m *mutant) String() string {
	before, after := m.diff()
	return fmt.Sprintf("%s:%d  %s  %q  %q", m.file, m.line(), m.function, before, after)
}

// swapped names what an operator becomes.
var swapped = map[token.Token][]token.Token{
	token.LSS: {token.LEQ, token.GEQ},
	token.LEQ: {token.LSS, token.GTR},
	token.GTR: {token.GEQ, token.LEQ},
	token.GEQ: {token.GTR, token.LSS},
	token.EQL: {token.NEQ},
	token.NEQ: {token.EQL},

	token.LAND: {token.LOR},
	token.LOR:  {token.LAND},

	token.ADD:     {token.SUB},
	token.SUB:     {token.ADD},
	token.MUL:     {token.QUO},
	token.QUO:     {token.MUL},
	token.REM:     {token.MUL},
	token.SHL:     {token.SHR},
	token.SHR:     {token.SHL},
	token.AND:     {token.OR},
	token.OR:      {token.AND},
	token.XOR:     {token.OR},
	token.AND_NOT: {token.AND},

	token.ADD_ASSIGN: {token.SUB_ASSIGN, token.ASSIGN},
	token.SUB_ASSIGN: {token.ADD_ASSIGN, token.ASSIGN},
	token.MUL_ASSIGN: {token.QUO_ASSIGN, token.ASSIGN},
	token.QUO_ASSIGN: {token.MUL_ASSIGN, token.ASSIGN},
	token.SHL_ASSIGN: {token.SHR_ASSIGN, token.ASSIGN},
	token.SHR_ASSIGN: {token.SHL_ASSIGN, token.ASSIGN},
	token.OR_ASSIGN:  {token.AND_ASSIGN, token.ASSIGN},
	token.AND_ASSIGN: {token.OR_ASSIGN, token.ASSIGN},
	token.XOR_ASSIGN: {token.OR_ASSIGN, token.ASSIGN},

	token.INC: {token.DEC},
	token.DEC: {token.INC},
}

// mutants returns every change that this command knows how to make. Some of
// them are no longer Go.
func (p *pkg) mutants() []*mutant {
	var all []*mutant
	for _, f := range p.files {
		for _, decl := range f.Decls {
			w := walk{p: p, f: f, function: functionOf(decl)}
			ast.Inspect(decl, w.visit)
			all = append(all, w.found...)
		}
	}
	return all
}

func functionOf(decl ast.Decl) string {
	d, ok := decl.(*ast.FuncDecl)
	if !ok {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	return strings.TrimPrefix(types.ExprString(d.Recv.List[0].Type), "*") + "." + d.Name.Name
}

type walk struct {
	p        *pkg
	f        *ast.File
	function string
	found    []*mutant
}

func (w *walk) replace(start, end token.Pos, text string) {
	w.found = append(w.found, &mutant{
		pkg: w.p, in: w.f, file: w.p.names[w.f], function: w.function, text: text,
		start: w.p.fset.Position(start).Offset, end: w.p.fset.Position(end).Offset,
	})
}

func (w *walk) operator(at token.Pos, op token.Token) {
	for _, other := range swapped[op] {
		w.replace(at, at+token.Pos(len(op.String())), other.String())
	}
}

func (w *walk) visit(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.BinaryExpr:
		if n.Op != token.ADD || !w.is(n, types.IsString) {
			w.operator(n.OpPos, n.Op)
		}
	case *ast.AssignStmt:
		if n.Tok != token.ADD_ASSIGN || !w.is(n.Lhs[0], types.IsString) {
			w.operator(n.TokPos, n.Tok)
		}
	case *ast.IncDecStmt:
		w.operator(n.TokPos, n.Tok)
	case *ast.UnaryExpr:
		if n.Op == token.NOT || n.Op == token.SUB {
			w.replace(n.OpPos, n.X.Pos(), "")
		}
	case *ast.BasicLit:
		w.number(n)
	case *ast.IfStmt:
		w.condition(n)
	case *ast.ReturnStmt:
		w.results(n)
		return false
	case *ast.BlockStmt:
		w.statements(n.List)
	case *ast.CaseClause:
		w.statements(n.Body)
	case *ast.CommClause:
		w.statements(n.Body)
	}
	return true
}

// number makes a whole number larger and smaller by one.
func (w *walk) number(n *ast.BasicLit) {
	if n.Kind != token.INT {
		return
	}
	v, err := strconv.ParseInt(n.Value, 0, 64)
	if err != nil {
		return
	}
	w.replace(n.Pos(), n.End(), strconv.FormatInt(v+1, 10))
	w.replace(n.Pos(), n.End(), strconv.FormatInt(v-1, 10))
}

// condition makes an if go one way always. Where nothing but one statement
// depends on it, leaving that out does the same as never going there.
func (w *walk) condition(n *ast.IfStmt) {
	w.replace(n.Cond.Pos(), n.Cond.End(), "("+w.source(n.Cond)+") || true")
	if len(n.Body.List) != 1 || n.Else != nil {
		w.replace(n.Cond.Pos(), n.Cond.End(), "("+w.source(n.Cond)+") && false")
	}
}

// results swaps what is returned: true for false, and no error for one. A constant
// beside an error is nobody's business, and stays as it is.
func (w *walk) results(n *ast.ReturnStmt) {
	for i, x := range n.Results {
		_, literal := x.(*ast.BasicLit)
		constant := literal || isName(x, "true") || isName(x, "false")
		if last := len(n.Results) - 1; constant && i < last && w.isError(n.Results[last]) {
			continue
		}
		w.result(x)
		ast.Inspect(x, w.visit)
	}
}

// isError reports whether x is an error, and not the word nil.
func (w *walk) isError(x ast.Expr) bool {
	t := w.p.info.Types[x]
	return t.Type != nil && !t.IsNil() && types.Identical(t.Type, types.Universe.Lookup("error").Type())
}

func (w *walk) result(x ast.Expr) {
	t, ok := w.p.info.Types[x]
	switch {
	case !ok || t.IsNil():
	case isName(x, "true"):
		w.replace(x.Pos(), x.End(), "false")
	case isName(x, "false"):
		w.replace(x.Pos(), x.End(), "true")
	case w.is(x, types.IsBoolean):
		w.replace(x.Pos(), x.End(), "!("+w.source(x)+")")
	case w.isError(x):
		w.replace(x.Pos(), x.End(), "nil")
	}
}

// statements leaves out one statement at a time.
func (w *walk) statements(list []ast.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok != token.DEFINE {
				w.replace(s.Pos(), s.End(), "")
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.DeferStmt, *ast.ReturnStmt, *ast.BranchStmt,
			*ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
			w.replace(s.Pos(), s.End(), "")
		}
	}
}

func (w *walk) source(x ast.Expr) string {
	return string(w.p.sources[w.f][w.p.fset.Position(x.Pos()).Offset:w.p.fset.Position(x.End()).Offset])
}

func (w *walk) is(x ast.Expr, kind types.BasicInfo) bool {
	t, ok := w.p.info.Types[x]
	if !ok || t.Type == nil {
		return false
	}
	b, ok := t.Type.Underlying().(*types.Basic)
	return ok && b.Info()&kind != 0
}

func isName(x ast.Expr, name string) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == name
}
