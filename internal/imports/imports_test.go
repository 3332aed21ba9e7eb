package imports

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestEveryImportPointsUpTheHouse(t *testing.T) {
	for _, f := range judgeImports(load(t, "../..")) {
		t.Error(f)
	}
}

func TestPureRoomsUseNeitherClockNorChanceNorGoroutineNorMapOrder(t *testing.T) {
	for _, f := range purity(t, load(t, "../..")) {
		t.Error(f)
	}
}

// The fixture marks each line that breaks a rule with what the gate must say
// about it: // want "part of the finding". A mark on a line of its own speaks
// about the next line.
func TestTheGateFindsWhatTheFixtureBreaksAndNothingElse(t *testing.T) {
	house := load(t, "testdata/house")
	wants := readWants(t, house.dir)
	for _, f := range findings(t, house) {
		i := slices.IndexFunc(wants[f.at], func(w string) bool { return strings.Contains(f.String(), w) })
		if i < 0 {
			t.Errorf("the gate says what the fixture does not mark:\n\t%v", f)
			continue
		}
		wants[f.at] = slices.Delete(wants[f.at], i, i+1)
	}
	for at, missing := range wants {
		for _, w := range missing {
			t.Errorf("%v: the gate does not say %q", at, w)
		}
	}
}

func TestTheFixtureBreaksEveryRule(t *testing.T) {
	broken := map[string]bool{}
	for _, f := range findings(t, load(t, "testdata/house")) {
		broken[f.why] = true
	}
	for _, why := range reasons() {
		if !broken[why] {
			t.Errorf("nothing in testdata/house breaks the rule with this reason:\n\t%s", why)
		}
	}
}

// The reasons tell rules apart above, so two rules may not share one.
func TestEveryRuleCarriesAReasonOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for _, why := range reasons() {
		if why == "" || seen[why] {
			t.Errorf("a reason is missing or used twice: %q", why)
		}
		seen[why] = true
	}
}

func TestNoTwoRoomsOverlap(t *testing.T) {
	var rooms []string
	for _, f := range house {
		rooms = append(rooms, f.rooms...)
	}
	for i, a := range rooms {
		for j, b := range rooms {
			if i != j && in(a, strings.TrimSuffix(b, "/...")) {
				t.Errorf("%s lies inside %s, so its floor would not count", b, a)
			}
		}
	}
}

// reasons lists why each rule exists, one per rule.
func reasons() []string {
	all := []string{undeclared, whyGoroutine, whyChannel, whyMapRange, whyNoReason, whyStale}
	for i, f := range house {
		if i > 0 { // nothing is further up than the ground floor
			all = append(all, f.below)
		}
		if len(f.rooms) > 1 {
			all = append(all, f.apart)
		}
	}
	for _, b := range bans {
		all = append(all, b.why)
	}
	for _, a := range ambient {
		all = append(all, a.why)
	}
	return all
}

func load(t *testing.T, dir string) *tree {
	t.Helper()
	loaded, err := loadTree(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded.pkgs) == 0 {
		t.Fatalf("no package in %s: a gate that reads nothing lets everything pass", dir)
	}
	return loaded
}

func purity(t *testing.T, loaded *tree) []finding {
	t.Helper()
	found, err := judgePurity(t.Context(), loaded)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func findings(t *testing.T, loaded *tree) []finding {
	t.Helper()
	return append(judgeImports(loaded), purity(t, loaded)...)
}

var wanted = regexp.MustCompile(`// want ((?:"[^"]*" ?)+)$`)

// readWants collects the marks of the fixture by the line they speak about.
func readWants(t *testing.T, dir string) map[position][]string {
	t.Helper()
	wants := map[position][]string{}
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(data), "\n") {
			mark := wanted.FindStringSubmatch(line)
			if mark == nil {
				continue
			}
			at := position{file: filepath.ToSlash(rel), line: i + 1}
			if strings.HasPrefix(strings.TrimSpace(line), "// want") {
				at.line++
			}
			wants[at] = append(wants[at], strings.Split(strings.Trim(strings.TrimSpace(mark[1]), `"`), `" "`)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return wants
}
