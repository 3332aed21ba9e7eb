package main

import (
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

func TestWhatIsTooLongIsCutToThePlacesItHas(t *testing.T) {
	for text, want := range map[string]string{"as it is": "as it is", "a few words": "a few w…", "注文注文注文": "注文注…"} {
		if got := short(text, 8); got != want {
			t.Errorf("%q is cut to %q; want %q", text, got, want)
		}
	}
}
