package planted

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// A bug is called as its constant is, in the words of a command line.
func TestEveryBugIsCalledAsItsConstant(t *testing.T) {
	all := bugs(t)
	for constant, name := range all {
		if want := dashed(constant); name != want {
			t.Errorf("%s is called %s and not %s", constant, name, want)
		}
	}
	if len(all) < 60 {
		t.Errorf("only %d bugs were found", len(all))
	}
}

// bugs reads the names of all bugs, by their constants.
func bugs(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			if typ, ok := v.Type.(*ast.Ident); !ok || typ.Name != "Bug" {
				return true
			}
			text, ok := v.Values[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s is no text", v.Names[0].Name)
				return true
			}
			name, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Error(err)
			}
			all[v.Names[0].Name] = name
			return true
		})
	}
	return all
}

// The page says of each bug where it is found. go test -tags planted writes it.
func TestThePageNamesEveryBugAndNoOther(t *testing.T) {
	page, err := os.ReadFile("../../docs/planted-bugs.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^(?:\| ([a-z0-9-]+) \|.*\|$|- ([a-z0-9-]+) \()`).FindAllStringSubmatch(string(page), -1) {
		named[m[1]+m[2]] = true
	}
	delete(named, "bug") // the head of a table
	for _, bug := range bugs(t) {
		if !named[bug] {
			t.Errorf("the page does not name %s", bug)
		}
		delete(named, bug)
	}
	for bug := range named {
		t.Errorf("the page names %s, which there is not", bug)
	}
}

// dashed writes Counts429 as counts-429.
func dashed(name string) string {
	var b strings.Builder
	var before rune
	for i, r := range name {
		word := unicode.IsUpper(r) || unicode.IsDigit(r) && !unicode.IsDigit(before)
		before = r
		if word && i > 0 {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
