package main

import (
	"testing"

	"github.com/unwindhq/unwind"
)

// What waits in a closed lane is not being called.
func TestAnOperationSaysWhetherItsCallsWait(t *testing.T) {
	op := unwind.Operation{ID: "4", State: unwind.OperationRunning, Counts: unwind.OperationCounts{Total: 5, Queued: 2, Replaying: 3}}
	if got, want := operationLine(&op, false), "operation 4 running  0/5 done  0 failed again  3 under way  429: 0%"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	op.WaitingFor = "the lane of shop: paused by ann: they move house"
	if got, want := operationLine(&op, false), "operation 4 running  0/5 done  0 failed again  3 waiting  429: 0%  waiting for "+op.WaitingFor; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	op.Counts.Replaying = 0
	if got, want := operationLine(&op, false), "operation 4 running  0/5 done  0 failed again  429: 0%  waiting for "+op.WaitingFor; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestWhatIsLeftIsNeverNone(t *testing.T) {
	ms := int64(300)
	op := unwind.Operation{ID: "4", State: unwind.OperationRunning, Counts: unwind.OperationCounts{Total: 5, Succeeded: 4, Replaying: 1}, EstimateMS: &ms}
	if got, want := operationLine(&op, false), "operation 4 running  4/5 done  0 failed again  1 under way  429: 0%  about 1s left"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
}

func TestALineThatIsDrawnAnewFitsItsTerminal(t *testing.T) {
	if got := redrawn("0/28  0 failed again  10 under way", 12); got != "\r\x1b[K0/28  0 fai…" {
		t.Errorf("it is %q", got)
	}
	line := "███░░ 106/300 orders; 429s: 121; payments: 62 calls wait"
	for columns, want := range map[int]string{80: line, 56: line, 55: "███░░ 106/300 orders; 429s: 121", 25: "███░░ 106/300 orders", 5: "███░░ 106/300 orders"} {
		if got := fitting(line, columns); got != want {
			t.Errorf("of %d columns it is %q, want %q", columns, got, want)
		}
	}
	if got := redrawn("0/28", 4); got != "\r\x1b[K0/28" {
		t.Errorf("it is %q", got)
	}
}
