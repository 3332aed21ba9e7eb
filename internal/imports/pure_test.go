package imports

import (
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ambient names what reads or moves the world behind the back of the arguments.
// A name is forbidden however it is reached: called, stored, aliased or dotted.
var ambient = []struct {
	names []string
	why   string
}{{
	names: []string{"time.Now", "time.Since", "time.Until"},
	why:   "the time comes in as an argument, or nothing could be replayed",
}, {
	names: []string{"time.Sleep", "time.After", "time.AfterFunc", "time.NewTimer", "time.NewTicker", "time.Tick"},
	why:   "waiting is an effect: return the due time and let the shell wait",
}, {
	names: []string{"time.Local", "time.LoadLocation", "(time.Time).Local"},
	why:   "the time zone of the machine is not part of the state; use UTC",
}, {
	names: []string{"maps.All", "maps.Keys", "maps.Values"},
	why:   "a map yields its entries in another order on every run; wrap keys or values in slices.Sorted, or say //pure:ok and why the order cannot show",
}}

// The rules about syntax. Each is a reason on its own so that the fixture can
// show that each is found.
const (
	whyGoroutine = "a decision runs on one goroutine, its caller's; concurrency belongs to the shell"
	whyChannel   = "a channel is another goroutine's clock; events come in as arguments and effects go out as results"
	whyMapRange  = "map order changes from run to run: range over sorted keys or a slice, or say //pure:ok and why the order cannot show"
	whyNoReason  = "an exemption without a reason cannot be judged by the next reader: //pure:ok <why the order cannot show>"
	whyStale     = "it exempts nothing on its line; delete it"
)

// pureOK exempts the map range on its own line, and nothing else.
const pureOK = "//pure:ok"

// judgePurity reads the scanned rooms under every build the gate knows.
func judgePurity(ctx context.Context, t *tree) ([]finding, error) {
	var found []finding
	for _, tags := range tagSets {
		all, err := goList(ctx, t.dir, tags, append([]string{"-deps", "-export"}, t.rooms(scanned)...)...)
		if err != nil {
			return nil, err
		}
		exports := exportsOf(all)
		for _, l := range all {
			if !inAny(scanned, t.nameOf(l.ImportPath)) {
				continue
			}
			more, err := t.scan(l, exports)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
		}
	}
	return ordered(found), nil
}

// rooms returns the packages of the tree that match, as arguments for go list.
func (t *tree) rooms(patterns []string) []string {
	var names []string
	for _, p := range t.pkgs {
		if inAny(patterns, p.name) {
			names = append(names, p.name)
		}
	}
	return names
}

func exportsOf(all []listed) map[string]string {
	exports := make(map[string]string, len(all))
	for _, l := range all {
		exports[l.ImportPath] = l.Export
	}
	return exports
}

// scan type-checks one package against the compiled form of what it imports,
// which is what tells a range over a map from a range over a slice.
func (t *tree) scan(l listed, exports map[string]string) ([]finding, error) {
	fset := token.NewFileSet()
	files, err := parse(fset, l)
	if err != nil {
		return nil, err
	}
	info := &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{},
		Uses:  map[*ast.Ident]types.Object{},
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("go list has no compiled form of %s", path)
		}
		return os.Open(exports[path])
	})}
	if _, err := conf.Check(l.ImportPath, fset, files, info); err != nil {
		return nil, fmt.Errorf("type-check %s: %w", l.ImportPath, err)
	}
	s := &scanner{root: t.dir, name: t.nameOf(l.ImportPath), fset: fset, info: info}
	for _, f := range files {
		s.file(f)
	}
	return s.found, nil
}

// A scanner collects what one package does that a pure package may not.
type scanner struct {
	root, name string
	fset       *token.FileSet
	info       *types.Info
	found      []finding

	exempt map[int]bool      // lines of this file with a reasoned //pure:ok; true once it was needed
	sorted map[ast.Node]bool // names under slices.Sorted, where map order is put right
}

func (s *scanner) file(f *ast.File) {
	s.exempt, s.sorted = map[int]bool{}, map[ast.Node]bool{}
	s.readExemptions(f)
	ast.Inspect(f, func(n ast.Node) bool {
		s.node(n)
		return true
	})
	for line, used := range s.exempt {
		if !used {
			at := position{file: place(s.root, s.fset.Position(f.Package)).file, line: line}
			s.found = append(s.found, finding{at, pureOK + " in " + s.name, whyStale})
		}
	}
}

func (s *scanner) readExemptions(f *ast.File) {
	for _, group := range f.Comments {
		for _, c := range group.List {
			reason, ok := strings.CutPrefix(c.Text, pureOK)
			if !ok {
				continue
			}
			if strings.TrimSpace(reason) == "" {
				s.report(c.Pos(), pureOK, whyNoReason)
				continue
			}
			s.exempt[s.fset.Position(c.Pos()).Line] = false
		}
	}
}

func (s *scanner) node(n ast.Node) {
	switch n := n.(type) {
	case *ast.GoStmt:
		s.report(n.Pos(), "a go statement", whyGoroutine)
	case *ast.ChanType, *ast.SelectStmt, *ast.SendStmt:
		s.report(n.Pos(), "a channel", whyChannel)
	case *ast.UnaryExpr:
		if n.Op == token.ARROW {
			s.report(n.Pos(), "a channel", whyChannel)
		}
	case *ast.RangeStmt:
		switch t := s.info.TypeOf(n.X); {
		case is[*types.Map](t):
			s.reportOrder(n.Pos(), "a range over a map", whyMapRange)
		case is[*types.Chan](t):
			s.report(n.Pos(), "a channel", whyChannel)
		}
	case *ast.CallExpr:
		s.call(n)
	case *ast.Ident:
		s.ident(n)
	}
}

// call notes slices.Sorted(maps.Keys(m)), the one use of a map's order that
// puts it right again. The comparing variants do not: equal elements keep the
// order they came in.
func (s *scanner) call(n *ast.CallExpr) {
	if s.fullName(nameIn(n.Fun)) != "slices.Sorted" || len(n.Args) != 1 {
		return
	}
	if inner, ok := n.Args[0].(*ast.CallExpr); ok {
		s.sorted[nameIn(inner.Fun)] = true
	}
}

func (s *scanner) ident(n *ast.Ident) {
	name := s.fullName(n)
	for _, rule := range ambient {
		switch {
		case !slices.Contains(rule.names, name) || s.sorted[n]:
		case strings.HasPrefix(name, "maps."):
			s.reportOrder(n.Pos(), name, rule.why)
		default:
			s.report(n.Pos(), name, rule.why)
		}
	}
}

// fullName resolves an identifier to "time.Now" or "(time.Time).Local".
func (s *scanner) fullName(n *ast.Ident) string {
	if n == nil {
		return ""
	}
	switch obj := s.info.Uses[n].(type) {
	case *types.Func:
		return obj.FullName()
	case *types.Var:
		if obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope() {
			return obj.Pkg().Path() + "." + obj.Name()
		}
	}
	return ""
}

// nameIn returns the identifier that names a called function, or nil.
func nameIn(fun ast.Expr) *ast.Ident {
	switch fun := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return fun
	case *ast.SelectorExpr:
		return fun.Sel
	case *ast.IndexExpr:
		return nameIn(fun.X)
	case *ast.IndexListExpr:
		return nameIn(fun.X)
	}
	return nil
}

// reportOrder reports unless the line says why the order cannot show.
func (s *scanner) reportOrder(pos token.Pos, what, why string) {
	line := s.fset.Position(pos).Line
	if _, ok := s.exempt[line]; ok {
		s.exempt[line] = true
		return
	}
	s.report(pos, what, why)
}

func (s *scanner) report(pos token.Pos, what, why string) {
	at := s.fset.Position(pos)
	at.Filename = filepath.Clean(at.Filename)
	s.found = append(s.found, finding{place(s.root, at), what + " in " + s.name, why})
}

// is reports whether a type, or any type a type parameter may stand for, is a
// map or a channel underneath.
func is[T types.Type](t types.Type) bool {
	if t == nil {
		return false
	}
	if param, ok := types.Unalias(t).(*types.TypeParam); ok {
		return isAny[T](param.Underlying())
	}
	_, ok := t.Underlying().(T)
	return ok
}

// isAny looks through the terms of a constraint such as ~map[K]V | ~[]V.
func isAny[T types.Type](constraint types.Type) bool {
	iface, ok := constraint.(*types.Interface)
	if !ok {
		return false
	}
	for embedded := range iface.EmbeddedTypes() {
		union, ok := embedded.(*types.Union)
		if !ok {
			if is[T](embedded) || isAny[T](embedded.Underlying()) {
				return true
			}
			continue
		}
		for term := range union.Terms() {
			if is[T](term.Type()) {
				return true
			}
		}
	}
	return false
}
