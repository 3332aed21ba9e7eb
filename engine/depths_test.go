package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// One count that took long, cold after a restart, makes the next no later; where all of them
// do they are made less often.
func TestASlowCountAloneMakesNoneLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		takes, counts := 200*time.Millisecond, 0
		y := newTally(func(context.Context) ([]int, error) {
			counts++
			<-time.After(takes)
			return []int{counts}, nil
		})
		counted := func(after time.Duration, want int) {
			t.Helper()
			<-time.After(after)
			if rows, err := y.recent(t.Context()); err != nil || rows[0] != want {
				t.Errorf("after %s more it is count %v, %v; want %d", after, rows, err, want)
			}
		}
		counted(0, 1) // took 200 ms
		takes = 10 * time.Millisecond
		counted(700*time.Millisecond, 1)
		counted(200*time.Millisecond, 2)
		takes = 200 * time.Millisecond
		counted(time.Second, 3)
		counted(time.Second, 4) // the one before it was quick
		counted(3*time.Second, 4)
		counted(time.Second, 5) // twenty times 200 ms
	})
}
