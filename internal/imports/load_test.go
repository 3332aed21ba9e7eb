package imports

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// tagSets are the builds the gate reads. Files that no build here selects are
// still read for their imports; only the purity rules need a build.
var tagSets = []string{"", "planted"}

// A tree is a repository: a main module and the modules nested in it.
type tree struct {
	dir    string // absolute
	module string // path of the main module; nested modules carry it as a prefix
	pkgs   []*pkg // sorted by name
	std    map[string]bool
}

// A pkg is a package of the tree and what its non-test files import, whatever
// the build constraints of the file.
type pkg struct {
	name    string // as in the tables: ".", "./engine"
	at      position
	imports []imported
}

type imported struct {
	name string // as in the tables
	at   position
}

type position struct {
	file string // relative to the tree, with slashes
	line int
}

func (p position) String() string { return fmt.Sprintf("%s:%d", p.file, p.line) }

// listed is the part of go list's answer that the gate reads.
type listed struct {
	ImportPath, Dir, Export string
	Standard                bool
	GoFiles, CgoFiles       []string
	IgnoredGoFiles          []string
	Module                  *struct {
		Path string
		Main bool
	}
}

// loadTree reads every package of every module in dir.
func loadTree(ctx context.Context, dir string) (*tree, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("find the tree: %w", err)
	}
	modules, err := findModules(dir)
	if err != nil {
		return nil, err
	}
	if len(modules) == 0 || modules[0] != dir {
		return nil, fmt.Errorf("no go.mod in %s", dir)
	}
	t := &tree{dir: dir, std: map[string]bool{}}
	if t.module, err = modulePath(dir); err != nil {
		return nil, err
	}
	byName := map[string]*pkg{}
	for _, module := range modules {
		for _, tags := range tagSets {
			all, err := goList(ctx, module, tags, "-deps", "./...")
			if err != nil {
				return nil, err
			}
			if err := t.add(byName, all); err != nil {
				return nil, err
			}
		}
	}
	t.pkgs = slices.SortedFunc(maps.Values(byName), func(a, b *pkg) int { return cmp.Compare(a.name, b.name) })
	return t, nil
}

// add reads the packages that one call of go list named as the tree's own.
func (t *tree) add(byName map[string]*pkg, all []listed) error {
	for _, l := range all {
		if l.Standard {
			t.std[l.ImportPath] = true
		}
		if l.Module == nil || !l.Module.Main {
			continue
		}
		name := t.nameOf(l.ImportPath)
		if byName[name] != nil {
			continue // read under another build; the files are the same
		}
		p := &pkg{name: name}
		for _, file := range slices.Concat(l.GoFiles, l.CgoFiles, l.IgnoredGoFiles) {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			if err := p.read(t.dir, filepath.Join(l.Dir, file)); err != nil {
				return err
			}
		}
		if len(l.GoFiles)+len(l.CgoFiles)+len(l.IgnoredGoFiles) == 0 {
			p.at = place(t.dir, token.Position{Filename: filepath.Join(l.Dir, "x"), Line: 1})
			p.at.file = filepath.ToSlash(filepath.Dir(p.at.file))
		}
		byName[name] = p
	}
	return nil
}

// read adds the imports of one file.
func (p *pkg) read(root, file string) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ImportsOnly)
	if err != nil {
		return fmt.Errorf("read imports: %w", err)
	}
	if p.at.file == "" {
		p.at = place(root, fset.Position(f.Package))
	}
	for _, spec := range f.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return fmt.Errorf("read import %s of %s: %w", spec.Path.Value, file, err)
		}
		p.imports = append(p.imports, imported{name: path, at: place(root, fset.Position(spec.Pos()))})
	}
	return nil
}

func place(root string, at token.Position) position {
	rel, err := filepath.Rel(root, at.Filename)
	if err != nil {
		rel = at.Filename
	}
	return position{file: filepath.ToSlash(rel), line: at.Line}
}

// nameOf turns an import path into the name the tables use.
func (t *tree) nameOf(path string) string {
	if path == t.module {
		return "."
	}
	if rest, ok := strings.CutPrefix(path, t.module+"/"); ok {
		return "./" + rest
	}
	return path
}

// isThirdParty tells other people's modules from the tree and the standard
// library. The first element of a standard import path never has a dot.
func (t *tree) isThirdParty(name string) bool {
	if name == "C" || t.std[name] || isOwn(name) {
		return false
	}
	first, _, _ := strings.Cut(name, "/")
	return strings.Contains(first, ".")
}

func isOwn(name string) bool { return name == "." || strings.HasPrefix(name, "./") }

// findModules lists the directories with a go.mod, the outermost first. Reading
// the directories here also tells go test to run the gate again when a file or
// a package comes or goes.
func findModules(dir string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil // a test beside us cleaned up its temporary files
			}
			return err
		}
		switch name := d.Name(); {
		case d.IsDir() && path != dir && (name == "testdata" || name == "node_modules" || name[0] == '.' || name[0] == '_'):
			return fs.SkipDir
		case name == "go.mod":
			found = append(found, filepath.Dir(path))
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find modules: %w", err)
	}
	slices.Sort(found)
	return found, nil
}

func modulePath(dir string) (string, error) {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return "", fmt.Errorf("read module path: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "module "); ok {
			return strings.TrimSpace(path), nil
		}
	}
	return "", fmt.Errorf("read module path: no module line in %s", filepath.Join(dir, "go.mod"))
}

// goList runs go list -json in a module.
func goList(ctx context.Context, dir, tags string, args ...string) ([]listed, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json", "-tags", tags}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s in %s: %w\n%s", strings.Join(cmd.Args, " "), dir, err, stderr.Bytes())
	}
	var all []listed
	for dec := json.NewDecoder(&stdout); ; {
		var l listed
		if err := dec.Decode(&l); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("read what go list says about %s: %w", dir, err)
		}
		all = append(all, l)
	}
}

// parse reads the files of a package with their comments.
func parse(fset *token.FileSet, l listed) ([]*ast.File, error) {
	var files []*ast.File
	for _, name := range l.GoFiles {
		f, err := parser.ParseFile(fset, filepath.Join(l.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", l.ImportPath, err)
		}
		files = append(files, f)
	}
	return files, nil
}
