//go:build planted

package flow

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/planted"
)

// TestPlantedBugsAreFound: the properties find every bug of the limits that is
// planted; this prints how many seeds that took, and -rewrite writes it into the
// document. Without the bug those seeds are clean.
func TestPlantedBugsAreFound(t *testing.T) {
	var table strings.Builder
	table.WriteString(limitsSection)
	for _, c := range []struct {
		bug      planted.Bug
		property func(seed uint64) error
	}{
		{planted.CatchUp, shares},
		{planted.IgnoreWeight, shares},
		{planted.BurstOnChange, changes},
		{planted.FullBucket, changes},
		{planted.IgnoreRate, crashes},
		{planted.SkipTenant, crashes},
		{planted.WindowFromSend, crashes},
		{planted.ForgetUnanswered, crashes},
		{planted.RefillOnRestart, crashes},
		{planted.GrantUnreserved, crashes},
		{planted.ForgetHold, crashes},
		{planted.SkipOnRetry, crashes},
		{planted.FreeSendNow, crashes},
		{planted.CutAlways, drained},
		{planted.CutForever, drained},
		{planted.ForgetRate, kept},
		{planted.Careless, spared},
		{planted.CutInVain, notInVain},
		{planted.FallMeasured, regains},
		{planted.IgnoreCrowd, crowded},
		{planted.IgnoreQuota, heeded},
		{planted.EndlessProbe, trouble},
		{planted.BreakerCounts429, trouble},
		{planted.ThrottledProbeFails, trouble},
		{planted.SkipRamp, trouble},
		{planted.ForgetBreaker, trouble},
		{planted.LateCloses, trouble},
		{planted.GateOneFlow, trouble},
		{planted.HintUncapped, trouble},
	} {
		t.Run(string(c.bug), func(t *testing.T) {
			defer planted.Plant("")
			for seed := uint64(0); seed < 1000; seed++ {
				planted.Plant(c.bug)
				found := c.property(seed)
				planted.Plant("")
				if found == nil {
					continue
				}
				t.Logf("seeds %4d  %v", seed+1, found)
				fmt.Fprintf(&table, "| %s | %d | %v |\n", c.bug, seed+1, found)
				if err := c.property(seed); err != nil {
					t.Errorf("without the bug: %v", err)
				}
				return
			}
			t.Error("the properties do not find it")
		})
	}
	if !*rewrite || t.Failed() {
		return
	}
	const file = "../../docs/planted-bugs.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "\n## Limits")
	if err := os.WriteFile(file, []byte(before+table.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

const limitsSection = `
## Limits

Found by properties of the pure scheduler (internal/flow): random limits at every
scope, a network that delays what it likes, commits that fail, crashes at any
point, and a receiver that counts.

    go test -tags planted ./internal/flow -run TestPlantedBugsAreFound -v -rewrite

| bug | seeds | what was seen |
|---|---|---|
`
