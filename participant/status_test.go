package participant_test

import (
	"context"
	"database/sql"
	"testing"
	"time"

	"github.com/unwindhq/unwind/participant"
)

func TestTheStatusSaysWhatBecameOfAKey(t *testing.T) {
	l := tempLedger(t)
	refuse := func(context.Context, *sql.Tx, participant.Call) (any, error) { return nil, participant.Refuse("no") }
	url := service(t, l, effect, effect)
	refusing := service(t, l, refuse, refuse)
	call(t, url+"/do", "done/step/action", ``)
	call(t, refusing+"/do", "refused/step/action", ``)
	call(t, url+"/undo", "empty/step/compensation", ``)
	for key, want := range map[string]string{
		"done/step/action":        `{"outcome":"done","output":{"did":"done/step/action"}}`,
		"done/step/compensation":  `{"outcome":"not_done"}`,
		"done/step/action/1":      `{"outcome":"not_done"}`,
		"refused/step/action":     `{"outcome":"not_done"}`,
		"empty/step/compensation": `{"outcome":"done","output":null}`,
		"empty/step/action":       `{"outcome":"not_done"}`,
		"unheard/of/action":       `{"outcome":"not_done"}`,
	} {
		if a := get(t, url+"/status?key="+key); a.status != 200 || a.body != want {
			t.Errorf("%s: %v, want %s", key, a, want)
		}
	}
	var rows int
	if err := l.db.QueryRow(`SELECT count(*) FROM unwind_barrier WHERE saga = 'unheard'`).Scan(&rows); err != nil || rows != 0 {
		t.Errorf("asking left %d rows, %v", rows, err)
	}
}

func TestPurgeForgetsWholeStepsThatAreOldEnough(t *testing.T) {
	l := tempLedger(t) // its clock stands at one second after the epoch
	url := service(t, l, effect, effect)
	call(t, url+"/do", doKey, ``)
	call(t, url+"/undo", undoKey, ``)
	if n, err := l.barrier.Purge(t.Context(), time.UnixMicro(1_000_000)); err != nil || n != 0 {
		t.Errorf("not old enough: %d rows, %v", n, err)
	}
	if n, err := l.barrier.Purge(t.Context(), time.UnixMicro(1_000_001)); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestDoChecksACallThatWasNotParsed(t *testing.T) {
	l := tempLedger(t)
	_, err := l.barrier.Do(t.Context(), participant.Call{Key: doKey, Saga: "another", Step: "step", Direction: participant.Action}, effect)
	if err == nil {
		t.Error("a call whose key and fields disagree was carried out")
	}
	if _, err := participant.New(nil, participant.Options{}); err == nil {
		t.Error("a nil database was taken")
	}
}
