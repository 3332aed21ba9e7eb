package config_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/config"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

const (
	apiToken      = "0123456789abcdef0123456789abcdef"
	paymentsToken = "Bearer canary-payments"
	alertSecret   = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
)

// environment answers for the variables that the files in testdata name; lines
// of the form "# env NAME=value" at the head of a file add to it.
func environment(file []byte) func(string) (string, bool) {
	vars := map[string]string{
		"UNWIND_TOKEN":   apiToken,
		"PAYMENTS_TOKEN": paymentsToken,
		"ALERT_SECRET":   alertSecret,
	}
	for line := range strings.Lines(string(file)) {
		rest, ok := strings.CutPrefix(line, "# env ")
		if !ok {
			break
		}
		name, value, _ := strings.Cut(strings.TrimSpace(rest), "=")
		vars[name] = value
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sources returns the files of a folder that are configurations.
func sources(dir string) ([]string, error) {
	yaml, err := filepath.Glob(dir + "/*.yaml")
	if err != nil {
		return nil, err
	}
	json, err := filepath.Glob(dir + "/*.json")
	return append(yaml, json...), err
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want := string(read(t, path)); got != want {
		t.Errorf("%s differs (run with -update to accept)\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

func TestEveryFaultIsFoundAtOnceWithItsPlace(t *testing.T) {
	files, err := sources("testdata/bad")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	kinds, most := map[string]bool{}, 0
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data := read(t, path)
			c, err := config.Parse(filepath.Base(path), data, environment(data))
			var refused *config.Error
			if !errors.As(err, &refused) {
				t.Fatalf("got %v, %v; want an *Error", c, err)
			}
			if c != nil {
				t.Error("a refused file gave a configuration")
			}
			golden(t, path+".txt", err.Error()+"\n")
			for _, f := range refused.Faults {
				kinds[f.Message] = true
				if f.Line == 0 && !strings.HasPrefix(f.File, "environment variable ") {
					t.Errorf("no place: %s", config.Format(f))
				}
			}
			most = max(most, len(refused.Faults))
		})
	}
	if len(kinds) < 35 || most < 15 {
		t.Errorf("%d different faults, at most %d in one file; want 35 and 15", len(kinds), most)
	}
}

func TestGoodFilesLoadAndReadBackFromTheirOwnJSON(t *testing.T) {
	files, err := sources("testdata/good")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			data := read(t, path)
			c, err := config.Parse(filepath.Base(path), data, environment(data))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			for _, w := range c.Warnings {
				out.WriteString(config.Format(w) + "\n")
			}
			marshalled, err := json.MarshalIndent(c, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			out.Write(append(marshalled, '\n'))
			golden(t, path+".golden", out.String())

			again, err := config.Parse("again.json", marshalled, environment(nil))
			if err != nil {
				t.Fatal(err)
			}
			// A literal header is not shown, so it cannot come back.
			for _, s := range c.Services {
				for name, h := range s.Headers {
					if h.Source() == "" {
						delete(s.Headers, name)
					}
				}
			}
			for _, s := range again.Services {
				for name, h := range s.Headers {
					if h.Source() == "" {
						delete(s.Headers, name)
					}
				}
			}
			c.Warnings, again.Warnings = nil, nil
			if !reflect.DeepEqual(c, again) {
				t.Errorf("read back\n%v\nwant\n%v", again, c)
			}
			for name, def := range c.Sagas {
				other := again.Sagas[name]
				if def.Digest() != other.Digest() {
					t.Errorf("saga %s has another digest when read back", name)
				}
			}
		})
	}
}

func TestTheContractsExampleLacksOnlyTheServicesItLeavesOut(t *testing.T) {
	data := read(t, "testdata/good/contract.yaml")
	var kept [][]byte
	for _, line := range bytes.Split(data, []byte("\n")) {
		if !bytes.HasPrefix(line, []byte("  inventory:")) && !bytes.HasPrefix(line, []byte("  shipping:")) {
			kept = append(kept, line)
		}
	}
	_, err := config.Parse("unwind.yaml", bytes.Join(kept, []byte("\n")), environment(nil))
	var refused *config.Error
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	for _, f := range refused.Faults {
		if !f.Warning && !strings.Contains(f.Message, "is not declared") {
			t.Error(config.Format(f))
		}
	}
}

func TestNumbersInTemplatesStayAsTheyWereWritten(t *testing.T) {
	c, err := config.Parse("x.yaml", read(t, "testdata/good/every-step.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"amount":"${input.amount}","text":"first line\nsecond line\n","exact":[12345678901234567890123,1.50,-0.0,1e400],` +
		`"flags":{"yes":true,"no":false,"none":null,"1":"2"},"quoted":"12","escaped":"<a href=\"x\">&é\t</a>","empty":[{},[],""]}`
	if got := string(c.Sagas["transfer"].Steps[0].Action.Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
