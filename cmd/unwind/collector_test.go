package main

import "testing"

func TestMemoryIsReadInEveryForm(t *testing.T) {
	for text, want := range map[string]int64{
		"MemTotal:       24684092 kB\nMemFree: 1 kB\n": 24684092 << 10, "536870912\n": 536870912,
		"max\n": 0, "9223372036854771712\n": 9223372036854771712, "": 0, "-1\n": -1,
	} {
		if got := firstNumber(text); got != want && (want > 0 && want < 1<<62 || got > 0) {
			t.Errorf("%q is read as %d", text, got)
		}
	}
	if memoryHere() < 0 {
		t.Error("this machine has less than no memory")
	}
}
