package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/api"
)

var update = flag.Bool("update", false, "rewrite openapi.json")

func (f *fixture) document() document {
	f.t.Helper()
	d := json.NewDecoder(strings.NewReader(f.do("GET", "/openapi.json", "").body))
	d.UseNumber()
	var doc document
	if err := d.Decode(&doc); err != nil {
		f.t.Fatal(err)
	}
	return doc
}

func TestTheDocumentIsTheOneThatIsCommitted(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Version = "1" })
	got := []byte(f.do("GET", "/openapi.json", "").body)
	if *update {
		if err := os.WriteFile("openapi.json", got, 0o644); err != nil { //nolint:gosec // it is committed
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("openapi.json is not what the routes say; look at the difference after: go test ./api -run Document -update")
	}
}

func TestTheDocumentHasTheRoutesOfTheRouterAndNoOther(t *testing.T) {
	f := newFixture(t, nil)
	routes := f.handler.Routes()
	slices.Sort(routes)
	if got := f.document().operations(); !reflect.DeepEqual(got, routes) {
		t.Errorf("the document has\n%s\nand the router\n%s", strings.Join(got, "\n"), strings.Join(routes, "\n"))
	}
}

func TestEveryRouteIsInTheTableOfRolesAndNoOther(t *testing.T) {
	f := newFixture(t, nil)
	routes, table := f.handler.Routes(), slices.Sorted(maps.Keys(api.LeastRole))
	slices.Sort(routes)
	if !reflect.DeepEqual(routes, table) {
		t.Errorf("the router has\n%s\nand the table of roles\n%s", strings.Join(routes, "\n"), strings.Join(table, "\n"))
	}
}

func TestRoutesWithoutTheirSourceDoNotExist(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Events, c.Gatherer = nil, nil })
	for _, path := range []string{"/v1/events", "/metrics"} {
		if r := f.do("GET", path, ""); r.status != 404 {
			t.Errorf("GET %s: got %d, want 404", path, r.status)
		}
		if f.document().operation("GET "+path) != nil {
			t.Errorf("the document has GET %s", path)
		}
	}
}

func TestDecodersReadWhatTheDocumentSays(t *testing.T) {
	f := newFixture(t, nil)
	doc := f.document()
	for name, fields := range api.Decoders() {
		properties, _ := doc.at("components", "schemas", name, "properties").(map[string]any)
		slices.Sort(fields)
		if got := slices.Sorted(maps.Keys(properties)); !reflect.DeepEqual(got, fields) {
			t.Errorf("%s: the document has %v and the decoder reads %v", name, got, fields)
		}
	}
}

func sha256Base64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// The page may run no script and load nothing, from here or elsewhere.
func TestThePageOfTheDocumentIsWholeByItself(t *testing.T) {
	f := newFixture(t, nil)
	r := f.do("GET", "/docs", "")
	if r.status != 200 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
		t.Fatalf("got %d %s", r.status, r.header.Get("Content-Type"))
	}
	csp := r.header.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; style-src 'sha256-") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") {
		t.Errorf("the content security policy is %q", csp)
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(r.body)
	if len(style) != 2 || !strings.Contains(csp, "'sha256-"+sha256Base64(style[1])+"'") {
		t.Error("the policy does not allow the page's own style")
	}
	if found := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|\bsrc=|\bon[a-z]+=|url\(|@import|\bstyle=`).FindString(r.body); found != "" {
		t.Errorf("the page has %q", found)
	}
	for _, route := range f.handler.Routes() {
		_, path, _ := strings.Cut(route, " ")
		if !strings.Contains(r.body, path) {
			t.Errorf("the page does not show %s", route)
		}
	}
}
