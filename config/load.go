package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"

	"github.com/unwindhq/unwind"
)

// Load reads the file at path and what env sets over it; an empty path reads
// no file. Flags go before both. See [Parse] for what it returns.
func Load(path string, env func(string) (string, bool), flags ...Flag) (*Config, error) {
	if path == "" {
		return Parse("", nil, env, flags...)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	defer f.Close() //nolint:errcheck // closing what was only read
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Parse(path, data, env, flags...)
}

// Parse reads a configuration from data, which came from the file name, and
// what env and then flags set over it. An env of nil sets nothing and leaves every secret
// unread, so that a file can be checked where its secrets are not.
//
// The configuration has its defaults and its Warnings. An error is an [*Error]
// that holds every fault.
func Parse(name string, data []byte, env func(string) (string, bool), flags ...Flag) (*Config, error) {
	r := &report{}
	root := parse(name, data, r)
	if root == nil {
		return nil, refuses(r.faults)
	}
	if env != nil {
		root = override(root, env)
	}
	for _, f := range flags {
		root = root.with(splitPointer(f.Pointer), textNode(f.Value, place{file: f.Name}))
	}
	d := decoder{r, secretReader{env, filepath.Dir(name)}}
	var c Config
	d.decode(root, reflect.ValueOf(&c).Elem(), "")
	for name, def := range c.Sagas {
		pointer := below("/sagas", name)
		if def.Name != "" && def.Name != name {
			at := below(pointer, "name")
			r.add(at, root.locate(at), "the saga is called %q above and %q here; take this name away", clip(name), clip(def.Name))
		}
		def.Name = name
		c.Sagas[name] = def
	}
	c = c.WithDefaults()
	r.judge(root, c.Validate())
	faults := inOrder(r.faults)
	if err := refuses(faults); err != nil {
		return nil, err
	}
	if len(c.Services) == 0 && len(c.Sagas) == 0 {
		message := "nothing is declared, so that nothing can be called; write services: and sagas:"
		if name == "" {
			message = "no configuration file is named, so that no service is declared and nothing can be called; name one with --config"
		}
		faults = append(faults, unwind.Fault{File: name, Warning: true, Message: message})
	}
	c.Warnings = faults
	return &c, nil
}

// judge adds faults that were found in the values, each with its place, but
// for those that only follow from what the tree already showed.
func (r *report) judge(root *node, faults []unwind.Fault) {
	for _, f := range faults {
		if r.follows(f.Pointer) {
			continue
		}
		at := root.locate(f.Pointer)
		f.File, f.Line, f.Column = at.file, at.line, at.column
		r.faults = append(r.faults, f)
	}
}
