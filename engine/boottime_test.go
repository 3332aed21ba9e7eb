package engine

import (
	"testing"

	"github.com/unwindhq/unwind/internal/machine"
)

func TestHowFarTheClockWasSet(t *testing.T) {
	const hour = 3600 * 1_000_000
	a, b, unknown := [16]byte{1}, [16]byte{2}, [16]byte{}
	then := reading{100 * hour, a, 5 * hour}
	for name, c := range map[string]struct {
		now  reading
		want machine.Micros
	}{
		"not at all":                          {reading{101 * hour, a, 6 * hour}, 0},
		"forward by an hour":                  {reading{102 * hour, a, 6 * hour}, hour},
		"back by an hour":                     {reading{100 * hour, a, 6 * hour}, -hour},
		"forward while the machine was down":  {reading{110 * hour, b, hour}, 0},
		"back while the machine was down":     {reading{90 * hour, b, hour}, -10 * hour},
		"nobody knows the boot":               {reading{101 * hour, unknown, 0}, 0},
		"the clock of the boot went backward": {reading{101 * hour, a, 4 * hour}, 0},
	} {
		if got := c.now.set(then); got != c.want {
			t.Errorf("%s: it was set by %d, want %d", name, got, c.want)
		}
	}
}

func TestAReadingStandsBeforeTheState(t *testing.T) {
	want := reading{1795403977004926, [16]byte{9, 8, 7}, 123456789}
	row := append(want.append(nil), "state"...)
	got, rest, err := cutReading(row)
	if err != nil || got != want || string(rest) != "state" {
		t.Errorf("got %+v, %q, %v", got, rest, err)
	}
	for n := range len(row) - len("state") {
		if _, _, err := cutReading(row[:n]); err == nil {
			t.Errorf("%d bytes of a reading were read as one", n)
		}
	}
}
