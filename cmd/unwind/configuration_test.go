package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
)

const configurationPage = "../../docs/configuration.md"

func page(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(configurationPage)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheConfigurationsExamplesAreGood(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(page(t), -1)
	if len(blocks) < 4 {
		t.Fatalf("%d examples", len(blocks))
	}
	for i, b := range blocks {
		c, err := config.Parse("example.yaml", []byte(b[1]), nil)
		if err != nil {
			t.Errorf("example %d: %v", i+1, err)
			continue
		}
		for _, w := range c.Warnings {
			if !strings.HasPrefix(w.Message, "nothing is declared") {
				t.Errorf("example %d, line %d: %s", i+1, w.Line, w.Message)
			}
		}
	}
}

func TestThePageOfTheConfigurationNamesEverySettingAndVariable(t *testing.T) {
	text := page(t)
	seen := map[reflect.Type]bool{}
	var walk func(reflect.Type)
	walk = func(typ reflect.Type) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice || typ.Kind() == reflect.Map {
			typ = typ.Elem()
		}
		if typ.Kind() != reflect.Struct || seen[typ] {
			return
		}
		seen[typ] = true
		for f := range typ.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			// A saga's name is its key, and only stored definitions have local calls.
			if name == "-" || !f.IsExported() || name == "local" || typ == reflect.TypeFor[unwind.Definition]() && name == "name" {
				continue
			}
			if name != "" && !regexp.MustCompile("`[a-z_., `]*\\b"+name+"\\b[a-z_.]*`").MatchString(text) && !strings.Contains(text, "## `"+name+"`") {
				t.Errorf("%s is not named", name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[config.Config]())
	names, _ := config.Variables()
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("the variable %s is not named", name)
		}
	}
}
