package history_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/sagatest/history"
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
// text shows the first and counts the others.
func TestATextShowsTenViolationsOfAGuarantee(t *testing.T) {
	report := history.Report{Violations: []history.Violation{{Guarantee: history.G1, Message: "lost"}}}
	for range 13 {
		report.Violations = append(report.Violations, history.Violation{Guarantee: history.G7, Message: "never answered"})
	}
	var b bytes.Buffer
	if err := report.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); !strings.Contains(text, "\n14 violations\n") || strings.Count(text, "\nG7: never answered\n") != 10 ||
		strings.Count(text, "\nG1: lost\n") != 1 || !strings.HasSuffix(text, "\nand 3 more of G7, in the report as JSON\n") {
		t.Error(text)
	}
}
