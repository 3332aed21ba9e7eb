package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/config"
)

func none(string) (string, bool) { return "", false }

func write(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhoNamesNoFileIsToldSo(t *testing.T) {
	c, err := config.Load("", none)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) != 1 || !strings.HasPrefix(config.Format(c.Warnings[0]), "warning: no configuration file is named") {
		t.Errorf("it warns of %v", c.Warnings)
	}
}

func TestNothingSaidGivesTheDefaults(t *testing.T) {
	for name, file := range map[string]string{"no file": "", "empty": "\n", "comments": "# nothing yet\n", "null": "~", "json": "{}"} {
		c, err := config.Parse("unwind.yaml", []byte(file), none)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(c.Warnings) != 1 || config.Format(c.Warnings[0]) != "unwind.yaml: warning: nothing is declared, so that nothing can be called; write services: and sagas:" {
			t.Errorf("%s: warned %v", name, c.Warnings)
		}
		want := config.Config{}.WithDefaults()
		want.Warnings = c.Warnings
		if !reflect.DeepEqual(*c, want) {
			t.Errorf("%s: got %v, want %v", name, c, want)
		}
	}
	c, err := config.Load("", none)
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != config.DefaultListen || c.Store != config.DefaultStore || c.KeyRetention != config.DefaultRetention {
		t.Errorf("got %v", c)
	}
}

func TestTheEnvironmentGoesBeforeTheFileAndTheFileBeforeTheDefault(t *testing.T) {
	file := write(t, filepath.Join(t.TempDir(), "unwind.yaml"),
		"listen: 127.0.0.1:1\nstore: memory\nretention: 24h\ncompensation: {rate: 5/s, concurrency: 7}\n")
	vars := map[string]string{
		"UNWIND_LISTEN": "127.0.0.1:2", "UNWIND_STORE": "", "UNWIND_COMPENSATION_RATE": "6/s", "UNWIND_MAX_STARTS": "12",
	}
	c, err := config.Load(file, func(name string) (string, bool) { v, ok := vars[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	got := []any{c.Listen, c.Store, c.Retention, c.KeyRetention, c.Compensation, c.Limits}
	want := []any{
		"127.0.0.1:2", "memory", 24 * unwind.Hour, 24 * unwind.Hour,
		config.Global{Rate: unwind.PerSecond(6), Concurrency: 7}, config.Limits{MaxActive: config.DefaultMaxActive, MaxStarts: 12, MaxBodyBytes: config.DefaultMaxBodyBytes, MaxActiveBytes: config.DefaultMaxActiveBytes},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAFlagGoesBeforeAllAndIsNamedInItsFaults(t *testing.T) {
	env := func(name string) (string, bool) { return "nowhere", name == "UNWIND_LISTEN" }
	file := []byte("listen: here\nservices: {p: {url: http://p}}\n")
	c, err := config.Parse("unwind.yaml", file, env, config.Flag{Name: "--listen", Pointer: "/listen", Value: "127.0.0.1:3"})
	if err != nil || c.Listen != "127.0.0.1:3" {
		t.Errorf("got %v, %v", c, err)
	}
	for want, flags := range map[string][]config.Flag{
		`--listen: "there" is not an address; write host:port, as in 127.0.0.1:7070`:                                     {{Name: "--listen", Pointer: "/listen", Value: "there"}},
		`environment variable UNWIND_LISTEN: listen: "nowhere" is not an address; write host:port, as in 127.0.0.1:7070`: nil,
	} {
		if _, err := config.Parse("unwind.yaml", file, env, flags...); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTheDocumentationListsEveryVariable(t *testing.T) {
	doc := string(read(t, "doc.go"))
	var listed []string
	for line := range strings.Lines(doc) {
		if words := strings.Fields(strings.TrimPrefix(line, "//")); len(words) == 2 && strings.HasPrefix(words[0], "UNWIND_") {
			listed = append(listed, words[0]+" /"+strings.ReplaceAll(words[1], ".", "/"))
		}
	}
	var known []string
	names, pointers := config.Variables()
	for i := range names {
		known = append(known, names[i]+" "+pointers[i])
	}
	if slices.Sort(known); !slices.Equal(slices.Sorted(slices.Values(listed)), known) {
		t.Errorf("documented\n%s\nknown\n%s", strings.Join(listed, "\n"), strings.Join(known, "\n"))
	}
}

func TestAFileThatIsNotThereIsAnErrorOfThatKind(t *testing.T) {
	_, err := config.Load(filepath.Join(t.TempDir(), "unwind.yaml"), none)
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestStores(t *testing.T) {
	for in, want := range map[string]config.Store{
		"memory:":                {Kind: "memory"},
		"memory":                 {Kind: "memory"},
		"sqlite:unwind.db":       {Kind: "sqlite", Path: "unwind.db"},
		"sqlite:/var/lib/a b.db": {Kind: "sqlite", Path: "/var/lib/a b.db"},
		"sqlite:C:\\unwind.db":   {Kind: "sqlite", Path: "C:\\unwind.db"},
	} {
		if got, err := config.ParseStore(in); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"", "memory:x", "sqlite", "sqlite:", "sqlite://x", "sqlite:x?mode=ro", "unwind.db", "postgres://u:hunter2@db/x", "redis:"} {
		if got, err := config.ParseStore(in); err == nil {
			t.Errorf("%q: got %v, want a refusal", in, got)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the password is shown: %v", in, err)
		}
	}
}

func TestLoopback(t *testing.T) {
	for listen, want := range map[string]bool{
		"127.0.0.1:7070": true, "127.9.9.9:0": true, "[::1]:7070": true, "localhost:7070": true, "[::ffff:127.0.0.1]:1": true,
		":7070": false, "0.0.0.0:7070": false, "[::]:7070": false, "10.0.0.1:7070": false, "example.com:7070": false, "127.0.0.1": false,
	} {
		if got := config.Loopback(listen); got != want {
			t.Errorf("%s: got %v", listen, got)
		}
	}
}

func TestAValueChangedAfterLoadingIsJudgedAgain(t *testing.T) {
	c, err := config.Load("", none)
	if err != nil {
		t.Fatal(err)
	}
	if faults := c.Validate(); len(faults) > 0 {
		t.Fatal(faults)
	}
	c.Listen, c.Retention, c.Limits.MaxActive, c.Compensation.Concurrency = "0.0.0.0:7070", -1, -1, -1
	c.Services["a"] = config.Service{Participant: unwind.Participant{URL: "http://a", Timeout: -1}}
	var at []string
	for _, f := range c.Validate() {
		at = append(at, f.Pointer)
	}
	want := []string{"/listen", "/retention", "/compensation/concurrency", "/limits/max_active", "/services/a/timeout"}
	if !slices.Equal(at, want) {
		t.Errorf("got %v, want %v", at, want)
	}
}

func TestADefinitionHasTheFilesNameUnlessItSaysItsOwn(t *testing.T) {
	const steps = "steps: [{name: charge, action: {service: payments, path: /charge}, compensation: none}]"
	for name, want := range map[string]string{"sagas/place-order.yaml": "place-order", "place-order": "place-order"} {
		def, faults := config.CheckDefinition(name, []byte(steps), nil)
		if len(faults) > 0 || def.Name != want {
			t.Errorf("%s: got %q, %v", name, def.Name, faults)
		}
	}
	def, faults := config.CheckDefinition("x.yaml", []byte("name: pay\n"+steps), nil)
	if len(faults) > 0 || def.Name != "pay" {
		t.Errorf("got %q, %v", def.Name, faults)
	}
}

func TestADefinitionIsJudgedWithPlaces(t *testing.T) {
	file := []byte("name: pay\ndeadlin: 5m\nsteps:\n- name: charge\n  action: {service: paymets, path: charge}\n")
	if _, faults := config.CheckDefinition("pay.yaml", file, nil); len(faults) != 3 {
		t.Errorf("without participants: got %v", faults)
	}
	_, faults := config.CheckDefinition("pay.yaml", file, map[string]unwind.Participant{"payments": {}})
	var got []string
	for _, f := range faults {
		got = append(got, config.Format(f))
	}
	want := []string{
		`pay.yaml:2:1: deadlin: the key "deadlin" is not known here; did you mean "deadline"?`,
		`pay.yaml:4:3: steps[0].compensation: step "charge" has no compensation; name the call that undoes it, or write compensation: none where nothing is to be undone`,
		`pay.yaml:5:21: steps[0].action.service: the service "paymets" is not declared; did you mean "payments"?`,
		`pay.yaml:5:36: steps[0].action.path: path "charge" must begin with a slash and hold no fragment or blanks, as in /charge`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, nothing := range []string{"", "# nothing\n", "~"} {
		if _, faults := config.CheckDefinition("pay.yaml", []byte(nothing), nil); len(faults) == 0 {
			t.Errorf("%q gave a definition", nothing)
		}
	}
}

func TestWarningsDoNotRefuse(t *testing.T) {
	c, err := config.Parse("unwind.yaml", []byte(`
compensation: {rate: 10/s, concurrency: 5}
services:
  payments:
    url: http://payments
    key_lifetime: 1h
    headers: {Authorization: Bearer x}
    compensation: {rate: 20/s, concurrency: 30, window: 60/1m}
sagas:
  pay:
    compensation: {rate: 11/s}
    tenants: {acme: {compensation: {rate: 12/s}}}
    steps:
    - {name: charge, action: {service: payments, path: /}, compensation: {service: payments, path: /}}
`), none)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, w := range c.Warnings {
		if !w.Warning {
			t.Errorf("not a warning: %v", w)
		}
		got = append(got, w.Pointer)
	}
	want := []string{
		"/services/payments/key_lifetime", "/services/payments/headers/Authorization", "/services/payments/compensation/rate",
		"/services/payments/compensation/concurrency", "/services/payments/compensation/window",
		"/sagas/pay/compensation/rate", "/sagas/pay/tenants/acme/compensation/rate",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
}

func TestKeysMayLookLikeNumbers(t *testing.T) {
	c, err := config.Parse("unwind.yaml", []byte("\ufeffservices: {1: {url: http://a}, true: {url: http://b}, 1.50: {url: http://c}, ? x : {url: http://d}}\n"), none)
	if err != nil {
		t.Fatal(err)
	}
	for name, url := range map[string]string{"1": "http://a", "true": "http://b", "1.50": "http://c", "x": "http://d"} {
		if c.Services[name].URL != url {
			t.Errorf("%s: got %v", name, c.Services)
		}
	}
}

func TestAThousandFaultsAreEnough(t *testing.T) {
	_, err := config.Parse("unwind.yaml", []byte("services: {p: {url: http://p}}\nsagas:\n"+strings.Repeat("  a: {}\n", 3000)), none)
	var refused *config.Error
	if !errors.As(err, &refused) || len(refused.Faults) > 1010 || !strings.Contains(err.Error(), "more faults than 1000") {
		t.Errorf("got %.200v", err)
	}
}

func TestNamesThatAPathCannotShowAreQuoted(t *testing.T) {
	for pointer, want := range map[string]string{
		"":                       "x",
		"/sagas/a.b/steps/12/on": "sagas[\"a.b\"].steps[12].on: x",
		"/a~1b/~0/":              "a/b.~[\"\"]: x",
		"/1":                     "[1]: x",
	} {
		if got := config.Format(unwind.Fault{Pointer: pointer, Message: "x"}); got != want {
			t.Errorf("%s: got %s, want %s", pointer, got, want)
		}
	}
	if got := config.Format(unwind.Fault{File: "f", Line: 2, Column: 3, Message: "x", Warning: true}); got != "f:2:3: warning: x" {
		t.Errorf("got %s", got)
	}
}
