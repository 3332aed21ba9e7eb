//go:build planted

package flow

import (
	"testing"

	"github.com/unwindhq/unwind/internal/planted"
)

// TestPlantedBugsAreFound: the properties find every bug of the limits that is
// planted; this prints how many seeds that took. Without it those seeds are clean.
func TestPlantedBugsAreFound(t *testing.T) {
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
				if err := c.property(seed); err != nil {
					t.Errorf("without the bug: %v", err)
				}
				return
			}
			t.Error("the properties do not find it")
		})
	}
}
