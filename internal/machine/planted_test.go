//go:build planted

package machine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/unwindhq/unwind/internal/planted"
)

var bugs = []planted.Bug{
	planted.CompensateForwards, planted.NewKeyOnRetry, planted.CountThrottled, planted.SkipSettle,
	planted.TrustLateRefusal, planted.ForgetUncertain, planted.ActionAfterTurn, planted.EndEarly,
	planted.ShortBackoff, planted.ExtraAttempt, planted.HideUncertain, planted.ChangingBody,
	planted.PivotTurnsBack, planted.CancelPastPivot, planted.ResolveUnaudited, planted.ReplayNewKey,
	planted.TakeStaleAnswer, planted.AcceptedIsDone, planted.LostIsWithdrawn, planted.BlockContinues,
	planted.EarlyTimer, planted.ForgetHaste, planted.ForgetGiveUp, planted.LoseOrder, planted.RoundNumbers,
}

// The oracle is trusted because it finds every bug that is planted: this prints
// how many random sagas that took, and how many transcripts differ.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, bug := range bugs {
		t.Run(string(bug), func(t *testing.T) {
			planted.Plant(bug)
			defer planted.Plant("")
			runs, found := hunt(20_000)
			t.Logf("runs %5d  transcripts %2d  %v", runs, differing(t), found)
			if found == nil {
				t.Error("the properties do not find it")
			}
		})
	}
}

// hunt plays random sagas until one breaks a property.
func hunt(most int) (runs int, found error) {
	for runs = 1; runs <= most; runs++ {
		if _, err := runSeed(uint64(runs)); err != nil {
			return runs, err
		}
	}
	return most, nil
}

func differing(t *testing.T) (n int) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if recover() != nil {
					n++ // it could not even be played
				}
			}()
			if play(string(want)) != string(want) {
				n++
			}
		}()
	}
	return n
}
