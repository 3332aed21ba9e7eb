package machine

import (
	"encoding/json"
	"testing"
)

// benchSaga is a saga of three steps, after done answers.
func benchSaga(b testing.TB, done int) (*Plan, State, Event) {
	b.Helper()
	p, err := parsePlan("place-order", []string{"reserve: undo release", "charge: undo refund", "ship: undo cancel"})
	if err != nil {
		b.Fatal(err)
	}
	ev := Event{Kind: Started, At: begin}
	var s State
	for i := 0; i < done; i++ {
		t, err := Next(p, s, ev)
		if err != nil {
			b.Fatal(err)
		}
		s = t.State
		ev = Event{Kind: Answered, At: begin + 1000, SentAt: begin + 500, Step: i, Dir: "action", Attempt: 1, Answer: Answer{Status: 200, Output: json.RawMessage(`{"id":"x-1"}`)}}
	}
	return p, s, ev
}

func benchmarkNext(b *testing.B, done int, answer *Answer) {
	p, s, ev := benchSaga(b, done)
	if answer != nil {
		ev.Answer = *answer
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Next(p, s, ev); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNextStart(b *testing.B)          { benchmarkNext(b, 0, nil) }
func BenchmarkNextActionDone(b *testing.B)     { benchmarkNext(b, 1, nil) }
func BenchmarkNextLastActionDone(b *testing.B) { benchmarkNext(b, 3, nil) }
func BenchmarkNextRetry(b *testing.B)          { benchmarkNext(b, 2, &Answer{Status: 500}) }
func BenchmarkNextTurnBack(b *testing.B)       { benchmarkNext(b, 3, &Answer{Status: 409}) }

func BenchmarkAppendState(b *testing.B) {
	_, s, _ := benchSaga(b, 3)
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendState(buf[:0], &s)
	}
}

func BenchmarkDecodeState(b *testing.B) {
	_, s, _ := benchSaga(b, 3)
	row := AppendState(nil, &s)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeState(row); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendEntries(b *testing.B) {
	p, s, ev := benchSaga(b, 2)
	t, err := Next(p, s, ev)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendEntries(buf[:0], t.Entries)
	}
}

func BenchmarkNextTimer(b *testing.B) {
	p, s, _ := benchSaga(b, 3)
	b.ReportAllocs()
	for b.Loop() {
		NextTimer(p, &s)
	}
}

func BenchmarkBody(b *testing.B) {
	p, s, _ := benchSaga(b, 3)
	f := &Facts{ID: "019307e2-5a00-7001-8000-000000000001", Key: "ORD-1", Input: json.RawMessage(`{"order_id":"ORD-1","amount":12.30}`),
		Outputs: []json.RawMessage{json.RawMessage(`{"id":"r-1"}`), json.RawMessage(`{"id":"c-1"}`), nil}}
	b.ReportAllocs()
	for b.Loop() {
		Body(p, f, &s, 2, "action")
	}
}
