package api_test

import (
	"html"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// What the page shows to be sent is understood; there may be nothing to do it to.
func TestThePagesExamplesAreGood(t *testing.T) {
	f := newFixture(t, nil)
	page := html.UnescapeString(f.do("GET", "/docs", "").body)
	commands := regexp.MustCompile(`(?s)<pre>(curl .*?)</pre>`).FindAllStringSubmatch(page, -1)
	if len(commands) != len(f.handler.Routes()) {
		t.Errorf("%d examples for %d routes", len(commands), len(f.handler.Routes()))
	}
	sent := regexp.MustCompile(`(?s)^curl -X (\S+) http://127\.0\.0\.1:7070(\S+) .*-H 'Content-Type: (\S+)' .*--data-binary '(.+)'$`)
	bodies := 0
	for _, c := range commands {
		m := sent.FindStringSubmatch(c[1])
		if m == nil {
			if !strings.HasPrefix(c[1], "curl http://") && !strings.HasPrefix(c[1], "curl -N http://") && !strings.HasPrefix(c[1], "curl -X DELETE http://") {
				t.Errorf("this is no command: %s", c[1])
			}
			continue
		}
		bodies++
		path := strings.NewReplacer("NAME", "payments", "TOKEN", "nobody", "ID", "019307e2-5a00-7001-8000-000000000001").Replace(m[2])
		r := f.do(m[1], path, asAShellReads(t, m[4]), "Content-Type: "+m[3])
		if r.status == 400 || r.status == 405 || r.status == 415 || r.status == 422 || strings.Contains(r.body, "/docs lists") {
			t.Errorf("%s\ngot %d %s", c[1], r.status, r.body)
		}
	}
	if bodies < 10 {
		t.Errorf("only %d examples send something", bodies)
	}
}

// asAShellReads is what a shell makes of a text between quotes, and of quotes
// in it.
func asAShellReads(t *testing.T, quoted string) string {
	t.Helper()
	read, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s '"+quoted+"'").Output()
	if err != nil {
		t.Errorf("a shell can't read '%s': %v", quoted, err)
	}
	return string(read)
}

func TestEveryOperationAndParameterIsDescribed(t *testing.T) {
	f := newFixture(t, nil)
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID, Description string
			Parameters               []struct{ Name, Description string }
		}
	}
	f.do("GET", "/openapi.json", "").decode(t, &doc)
	for _, item := range doc.Paths {
		for _, op := range item {
			if op.Description == "" || strings.HasPrefix(op.Description, "Needs the role") {
				t.Errorf("%s has no description", op.OperationID)
			}
			for _, p := range op.Parameters {
				if p.Description == "" {
					t.Errorf("%s: the parameter %s has no description", op.OperationID, p.Name)
				}
			}
		}
	}
}
