package history_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind/sagatest/history"
)

func TestARecorderWritesWholeLinesInOrderOfTime(t *testing.T) {
	dir := t.TempDir()
	r, err := history.OpenRecorder(filepath.Join(dir, "client.jsonl"), "shop")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := r.Write(history.Line{Event: history.Invoke, Op: history.OpGet}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := history.OpenRecorder(filepath.Join(dir, "definitions.json"), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(d.Write(history.Line{}), d.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := history.Load(dir); err == nil {
		t.Error("a line is no definitions.json and was read as one")
	}
}

func TestARecorderIsBounded(t *testing.T) {
	var b bytes.Buffer
	r := history.NewRecorder(&b, "shop")
	r.MaxBytes = 200
	var err error
	for err == nil {
		err = r.Write(history.Line{T: 1, Event: history.Invoke, Op: history.OpGet})
	}
	if !errors.Is(err, history.ErrFull) || b.Len() > 200 || !strings.HasSuffix(b.String(), "}\n") {
		t.Errorf("wrote %d bytes, error %v; want at most 200 in whole lines and ErrFull", b.Len(), err)
	}
	if !errors.Is(r.Close(), history.ErrFull) {
		t.Error("Close hides that lines are missing")
	}
}

type broken struct{ writes int }

func (b *broken) Write([]byte) (int, error) { b.writes++; return 0, errors.New("no space") }

func TestARecorderStopsAtTheFirstHole(t *testing.T) {
	b := &broken{}
	r := history.NewRecorder(b, "shop")
	for range 3 {
		if r.Write(history.Line{Event: history.Invoke, Op: history.OpGet}) == nil {
			t.Error("a failed write is not reported")
		}
	}
	if b.writes != 1 {
		t.Errorf("%d writes after a hole, want none", b.writes-1)
	}
}

func TestARecorderUsesItsClock(t *testing.T) {
	var b bytes.Buffer
	r := history.NewRecorder(&b, "shop")
	r.Now = func() time.Time { return time.UnixMicro(42) }
	if err := r.Write(history.Line{Event: history.Journal, Data: &history.Data{Status: 503}}); err != nil {
		t.Fatal(err)
	}
	var l history.Line
	if err := json.Unmarshal(b.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	if l.T != 42 || l.Node != "shop" || l.Data.Status != 503 {
		t.Errorf("wrote %s", b.String())
	}
}

func TestEqualInputsHaveOneSHA(t *testing.T) {
	a, errA := history.InputSHA(json.RawMessage(`{"b":1.0,"a":[1,2]}`))
	b, errB := history.InputSHA(json.RawMessage(`{ "a" : [1, 2], "b": 1.0 }`))
	c, errC := history.InputSHA(json.RawMessage(`{"a":[1,2],"b":1}`))
	if errA != nil || errB != nil || errC != nil || a != b || a == c {
		t.Errorf("%s %s %s: order of keys must not count, the form of numbers must", a, b, c)
	}
	if _, err := history.InputSHA(json.RawMessage(`{`)); err == nil {
		t.Error("half an object has a SHA")
	}
}
