package config_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
)

func seed(f *testing.F, dirs ...string) {
	f.Helper()
	for _, dir := range dirs {
		files, err := sources(dir)
		if err != nil || len(files) == 0 {
			f.Fatal("no files", err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

// Whatever a file holds, reading it neither panics nor gives both a
// configuration and an error; what loads reads back from its own JSON.
func FuzzParse(f *testing.F) {
	seed(f, "testdata/good", "testdata/bad")
	f.Fuzz(func(t *testing.T, data []byte) {
		env := environment(nil)
		c, err := config.Parse("fuzz.yaml", data, env)
		if (c == nil) == (err == nil) {
			t.Fatalf("got %v and %v", c, err)
		}
		if err != nil {
			if err.Error() == "" {
				t.Fatal("refused without a word")
			}
			return
		}
		first, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, err := config.Parse("again.json", first, env)
		if err != nil {
			t.Fatalf("%s\ndoes not read back: %v", first, err)
		}
		if second := again.String(); second != string(first) {
			t.Errorf("read back\n%s\nwant\n%s", second, first)
		}
		for name, def := range c.Sagas {
			if other := again.Sagas[name]; def.Digest() != other.Digest() {
				t.Errorf("saga %q has another digest when read back", name)
			}
		}
	})
}

// The same for one definition.
func FuzzDefinition(f *testing.F) {
	f.Add([]byte("steps: [{name: a, action: {service: s, path: /x, body: {n: 1.50}}, compensation: none}]"))
	f.Add([]byte(`{"steps":[{"name":"a","kind":"delay","for":"1m"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		def, faults := config.CheckDefinition("fuzz", data, nil)
		if slices.ContainsFunc(faults, func(f unwind.Fault) bool { return !f.Warning }) {
			return
		}
		first, err := json.Marshal(&def)
		if err != nil {
			t.Fatal(err)
		}
		again, faults := config.CheckDefinition("fuzz", first, nil)
		if slices.ContainsFunc(faults, func(f unwind.Fault) bool { return !f.Warning }) {
			t.Fatalf("%s\ndoes not read back: %v", first, faults)
		}
		if def.Digest() != again.Digest() {
			t.Errorf("%s\nhas another digest when read back", first)
		}
	})
}
