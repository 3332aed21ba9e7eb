package planted

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// A bug is called as its constant is, in the words of a command line.
func TestEveryBugIsCalledAsItsConstant(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
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
			found++
			want := strconv.Quote(dashed(v.Names[0].Name))
			if got, ok := v.Values[0].(*ast.BasicLit); !ok || got.Value != want {
				t.Errorf("%s is not called %s", v.Names[0].Name, want)
			}
			return true
		})
	}
	if found < 60 {
		t.Errorf("only %d bugs were found", found)
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
