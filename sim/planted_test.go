//go:build planted

package sim

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/unwindhq/unwind/internal/planted"
)

var (
	update   = flag.Bool("update", false, "write docs/planted-bugs.md")
	onlyBug  = flag.String("sim.bug", "", "plant this bug alone")
	mostRuns = flag.Int("sim.bound", 200_000, "how many schedules may pass before a bug is found")
)

// elsewhere are bugs that can't show in a simulated world; the tests that find
// them are named.
var elsewhere = map[planted.Bug]string{
	planted.SkipFsync:           "store/sqlite: crash images",
	planted.AcknowledgeEarly:    "store/sqlite: crash images",
	planted.EarlyTimer:          "internal/machine: transcripts; a node never fires a timer early",
	planted.CatchUp:             foundByFlow,
	planted.IgnoreWeight:        foundByFlow,
	planted.ForgetHold:          foundByFlow,
	planted.HoldLanesAlone:      "internal/node: TestAWindowOfAnyScopeIsHeldOverACrash",
	planted.CutAlways:           foundByFlow,
	planted.CutForever:          foundByFlow,
	planted.Careless:            foundByFlow,
	planted.CutInVain:           foundByFlow,
	planted.FallMeasured:        foundByFlow,
	planted.IgnoreCrowd:         foundByFlow,
	planted.EndlessProbe:        foundByFlow,
	planted.BreakerCounts429:    foundByFlow,
	planted.ThrottledProbeFails: foundByFlow,
	planted.SkipRamp:            foundByFlow,
	planted.ForgetBreaker:       foundByFlow,
	planted.ForgetRate:          foundByFlow,
	planted.LateCloses:          foundByFlow,
	planted.GateOneFlow:         foundByFlow,
	planted.HintUncapped:        foundByFlow,
	planted.IgnoreQuota:         foundByFlow,
	planted.ReplayLater:         foundByEngine,
	planted.ForgetItem:          foundByEngine,
	planted.SkipCanary:          foundByEngine,
	planted.ReplayPaused:        foundByEngine,
	planted.CountSkipped:        foundByEngine,
	planted.DryRunBegins:        foundByEngine,
	planted.AcceptTwice:         foundByEngine,
	planted.AuditApart:          foundByEngine,
	planted.LoseEnd:             foundByEngine,
	planted.CallOnHold:          foundByEngine,
}

// foundByEngine: operations, alerts and the hold are steered by the shell, which a
// simulated world has not.
const foundByEngine = "engine: TestPlantedBugsOfRemediation"

// foundByFlow: what the participants of a simulated world do not provoke.
const foundByFlow = "internal/flow: TestPlantedBugsAreFound, which prints the seeds"

// A plant is a declared bug.
type plant struct {
	bug  planted.Bug
	what string
}

// A find is how a bug was found.
type find struct {
	plant
	by    string
	what  string
	seeds int
	took  time.Duration
}

// TestPlantedBugs: the simulation finds every bug that is declared, and nothing
// in the same schedules without one.
func TestPlantedBugs(t *testing.T) {
	defer planted.Plant("")
	const base = 1
	var found []find
	for _, p := range declaredBugs(t) {
		if *onlyBug != "" && string(p.bug) != *onlyBug || elsewhere[p.bug] != "" {
			continue
		}
		planted.Plant(p.bug)
		total := explore(*mostRuns, func(i int) uint64 { return uint64(base + i) }, 1, func(*Schedule) {})
		planted.Plant("")
		if len(total.failed) == 0 {
			t.Errorf("%q was not found in %d schedules", p.bug, total.schedules)
			continue
		}
		f := total.failed[0]
		v := f.result.Violations[0]
		found = append(found, find{p, v.Guarantee.String(), v.Message, int(f.schedule.Seed - base + 1), total.took})
		t.Logf("%-60s %-4s %7d seeds %8s  %s", p.bug, v.Guarantee, f.schedule.Seed-base+1, total.took.Round(time.Millisecond), v.Message)
		if r := Run(NewSchedule(f.schedule.Seed)); r.Failed() {
			t.Errorf("seed %d fails without %q as well: %s", f.schedule.Seed, p.bug, r.Violations[0].Message)
		}
	}
	if *update && *onlyBug == "" {
		const file = "../docs/planted-bugs.md"
		old, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text := document(found)
		if i := strings.Index(string(old), "\n## Limits"); i >= 0 { // internal/flow writes it
			text = append(text, old[i:]...)
		}
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// declaredBugs reads what package planted declares.
func declaredBugs(t *testing.T) (all []plant) {
	t.Helper()
	files, err := filepath.Glob("../internal/planted/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				what := strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(strings.Join(strings.Fields(v.Doc.Text()), " "), v.Names[0].Name)), ".")
				all = append(all, plant{planted.Bug(text), what})
			}
		}
	}
	return all
}

func document(found []find) []byte {
	var b strings.Builder
	seeds := make([]int, len(found))
	for i, f := range found {
		seeds[i] = f.seeds
	}
	slices.Sort(seeds)
	fmt.Fprintf(&b, `# Planted bugs

A checker that has never failed proves nothing. Each of these bugs is one or two
lines behind a switch that is the constant false in every ordinary build
(internal/planted). With the switch on, random schedules run until the history
checker, or the world's own books, find a broken guarantee.

%d bugs, all found; median %d schedules, most %d. Found by is the guarantee of the
first violation. The schedules are those of the seeds 1, 2, 3 …; without a bug the
schedule that found it is clean. On two processors several run at once, so the
number of a seed may differ a little from run to run.

    go test -tags planted ./sim -run TestPlantedBugs -update -v -timeout 30m

| bug | it | found by | schedules | seconds |
|---|---|---|---|---|
`, len(found), seeds[len(seeds)/2], seeds[len(seeds)-1])
	for _, f := range found {
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %.2f |\n", f.bug, f.plant.what, f.by, f.seeds, f.took.Seconds())
	}
	b.WriteString("\nFound elsewhere:\n\n")
	for _, bug := range slices.Sorted(maps.Keys(elsewhere)) {
		fmt.Fprintf(&b, "- %s (%s)\n", bug, elsewhere[bug])
	}
	return []byte(b.String())
}
