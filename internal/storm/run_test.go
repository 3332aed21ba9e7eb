package storm

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/internal/gateway"
)

func TestAQuickStormFindsNothingLostAndWritesItsPage(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	var ticks int
	r, err := Run(t.Context(), Config{Only: []string{"policer"}, Quick: true, Seed: 1, Dir: dir, Progress: &said, Watch: func(tick Tick) {
		if ticks++; tick.Owed != 60 {
			t.Errorf("tick: %+v", tick)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	v := &r.Verdicts[0]
	if o := v.Ours; !v.Pass || o.Owed != 60 || o.Done+o.Left != 60 || o.Lost+o.Dead+o.Duplicated != 0 || o.Accepted < o.Done {
		t.Errorf("%+v\n%v", o, v.Missed())
	}
	if n := v.Naive; n.Owed != 60 || n.Done+n.Left+n.Lost != 60 || n.Accepted < n.Done {
		t.Errorf("the control: %+v", n)
	}
	if ticks == 0 || !strings.Contains(said.String(), "policer") {
		t.Errorf("%d ticks; said %s", ticks, said.String())
	}
	file := filepath.Join(dir, "storms.md")
	if err := r.Write(file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(page, []byte("storms/policer.svg")) || !bytes.Contains(page, []byte("1 of 1 storms pass")) {
		t.Errorf("%v\n%s", err, page)
	}
	svg, err := os.ReadFile(filepath.Join(dir, "storms", "policer.svg"))
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg)
}

func wellFormed(t *testing.T, b []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(b)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
	}
}

// The other storms' quick runs, beside each other: what they wait for is time.
func TestNoQuickStormLosesOrRepeatsAnything(t *testing.T) {
	if testing.Short() {
		t.Skip("the slowest of these storms takes 20 s; make race lets them loose")
	}
	for _, sc := range Scenarios() {
		if sc.killEvery > 0 {
			continue // the command's tests have its process
		}
		t.Run(sc.Name, func(t *testing.T) {
			t.Parallel()
			r, err := Run(t.Context(), Config{Only: []string{sc.Name}, Quick: true, Alone: true, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			if v := &r.Verdicts[0]; v.Ours.Lost+v.Ours.Duplicated+v.Ours.Dead != 0 || v.Ours.Done == 0 {
				t.Errorf("%+v", v.Ours)
			}
		})
	}
}

func TestEveryStormIsDescribed(t *testing.T) {
	for _, sc := range Scenarios() {
		if sc.Spec.Capacity == "" || sc.Spec.Hint == "" || sc.Spec.Takes == "" || sc.About == "" || len(sc.goals) == 0 || sc.few == 0 || sc.patience == 0 {
			t.Errorf("%s: %+v", sc.Name, sc.Spec)
		}
		for _, s := range []scale{scaleOf(false), scaleOf(true)} {
			if sc.compare != nil {
				continue
			}
			m, err := sc.model(s.unit)
			if err != nil {
				t.Fatalf("%s: %v", sc.Name, err)
			}
			if v := m.Arrive(origin, 0); !v.Borne() || v.Fate != gateway.Answered {
				t.Errorf("%s: the first call: %+v", sc.Name, v)
			}
		}
	}
	if err := Check([]string{"drizzle"}); err == nil || !strings.Contains(err.Error(), "policer") {
		t.Errorf("an unknown storm: %v", err)
	}
}
