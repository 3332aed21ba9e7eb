package history_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestWriteText(t *testing.T) {
	var b bytes.Buffer
	if err := check(t, load(t, "testdata/g2-told-too-early.txtar")).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `18 lines, 1 sagas; 1 completed
calls: 3 ok, 0 fail, 0 unknown, 0 unanswered
1 violation

G2 saga s1: a client was told that the saga is completed; the journal had not ended it so
  client.jsonl:4 {"t":4000,"event":"return","saga":"s1","outcome":"ok","status":200,"op":"get","saga_status":"completed"}
  engine-a.jsonl:8 {"t":15000,"node":"a","epoch":1,"event":"journal","saga":"s1","kind":"saga_ended","seq":8,"data":{"status":"completed"}}
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestAGoodHistoryCounts(t *testing.T) {
	var b bytes.Buffer
	if err := check(t, load(t, "testdata/good.txtar")).WriteText(&b); err != nil {
		t.Fatal(err)
	}
	const want = `122 lines, 4 sagas; 1 completed, 3 compensated
calls: 16 ok, 4 fail, 1 unknown, 1 unanswered
no violation
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
}

func TestTheReportIsTheSameEveryTime(t *testing.T) {
	h := load(t, "testdata/g10-rate.txtar")
	first := check(t, h)
	for range 20 {
		if again := check(t, h); !reflect.DeepEqual(first, again) {
			t.Fatalf("%+v, then %+v", first, again)
		}
	}
}

// A log that is missing makes a violation of each call that it would have held: the
// text shows the first and counts the others, and what else is wrong is not behind them.
func TestATextShowsThreeViolationsOfAKind(t *testing.T) {
	h := load(t, "testdata/good.txtar")
	h.Participants = h.Participants[:1]
	h.Participants[0].Saga = "s9"
	report := check(t, h)
	report.Dropped = 7
	var b bytes.Buffer
	if err := report.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	var told []string
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, "G") || strings.HasPrefix(line, "and ") {
			told = append(told, strings.TrimSpace(line))
		}
	}
	if want := []string{
		"G7 saga s1: the journal records that the action of reserve succeeded; its participant never answered that",
		"G7 saga s1: the journal records that the compensation of reserve succeeded; its participant never answered that",
		"G7 saga s1: the journal records that the action of charge succeeded; its participant never answered that",
		"and 13 more of this kind (G7), in the report as JSON",
		"G7 saga s9: the action of reserve came in for a saga that no journal has",
		"and 7 more that no report holds: the first 1000 are kept",
	}; !slices.Equal(told, want) {
		t.Errorf("got:\n%s", b.String())
	}
}
