package main

import (
	"slices"
	"strings"
	"testing"
)

func TestColumnsStandBelowEachOtherAsATerminalShowsThem(t *testing.T) {
	var out strings.Builder
	if err := writeTable(&out, [][]string{{"KEY", "STATUS"}, {"注文-1", "completed"}, {"🎁", "running"}, {"cafe\u0301", "failed"}}); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"KEY     STATUS\n" +
		"注文-1  completed\n" + // six places
		"🎁      running\n" + // two
		"cafe\u0301    failed\n" // four
	if got := out.String(); got != want {
		t.Errorf("got\n%s, not\n%s", got, want)
	}
}

func TestATableThatIsWiderThanItsTerminalIsWrittenAsRecords(t *testing.T) {
	rows := [][]string{
		{"SERVICE", "RATE", "OLDEST", "READY", "STATE"},
		{"payments", "20/s", "-", "3", "PAUSED by ann since noon: they move house"},
		{"注文", "5/s", "1m", "", "open"},
	}
	for columns, want := range map[int]string{
		30: "payments  RATE 20/s  READY 3\n  STATE PAUSED by ann since\n  noon: they move house\n注文  RATE 5/s  OLDEST 1m\n  STATE open\n",
		31: "payments  RATE 20/s  READY 3\n  STATE PAUSED by ann since\n  noon: they move house\n注文  RATE 5/s  OLDEST 1m\n  STATE open\n",
		71: "payments  RATE 20/s  READY 3\n  STATE PAUSED by ann since noon: they move house\n注文  RATE 5/s  OLDEST 1m  STATE open\n",
		72: "SERVICE   RATE  OLDEST  READY  STATE\npayments  20/s  -       3      PAUSED by ann since noon: they move house\n注文      5/s   1m             open\n",
		0:  "SERVICE   RATE  OLDEST  READY  STATE\npayments  20/s  -       3      PAUSED by ann since noon: they move house\n注文      5/s   1m             open\n",
	} {
		var out strings.Builder
		a := &app{stdout: &out, format: "table", columns: columns}
		if err := show(a, rows[0], rows[1:], slices.Clone[[]string]); err != nil {
			t.Fatal(err)
		}
		if got := out.String(); got != want {
			t.Errorf("on %d columns:\n%s, not\n%s", columns, got, want)
		}
	}
}

func TestWhatIsTooLongIsCutToThePlacesItHas(t *testing.T) {
	for text, want := range map[string]string{"as it is": "as it is", "a few words": "a few w…", "注文注文注文": "注文注…"} {
		if got := short(text, 8); got != want {
			t.Errorf("%q is cut to %q; want %q", text, got, want)
		}
	}
}

func TestWhatCanBeTriedStandsInColumnsToo(t *testing.T) {
	var out strings.Builder
	writeTries(&out, [][2]string{{"cd 注文", "go there"}, {"unwind demo", "begin"}})
	want := "" +
		"  cd 注文      go there\n" + // seven places of eleven
		"  unwind demo  begin\n"
	if got := out.String(); got != want {
		t.Errorf("got\n%s, not\n%s", got, want)
	}
}

func TestALongTextIsBrokenWhereATerminalEnds(t *testing.T) {
	for text, want := range map[string]string{
		"five words and no more":  "five words\n  and no\n  more",
		"注文 注文 注文 1":              "注文 注文\n  注文 1",
		"注文注文注文 1":                "注文注文注文\n  1", // a word stays whole
		"cafe\u0301 cafe\u0301 1": "cafe\u0301 cafe\u0301\n  1",
	} {
		if got := fold(text, 10); got != want {
			t.Errorf("%q is broken into %q; want %q", text, got, want)
		}
	}
}
