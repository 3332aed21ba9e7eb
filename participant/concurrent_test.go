package participant_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/unwindhq/unwind/participant"
)

func TestACallWhileItsStepIsAtWorkIsToldToWait(t *testing.T) {
	l := tempLedger(t)
	begun, finish := make(chan struct{}), make(chan struct{})
	url := service(t, l, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		close(begun)
		<-finish
		return effect(ctx, tx, c)
	}, effect)
	first := make(chan answer, 1)
	go func() { first <- call(t, url+"/do", doKey, ``) }()
	<-begun
	want := answer{status: 425, outcome: "in_progress", retryAfter: "1"}
	for path, key := range map[string]string{"/do": doKey, "/undo": undoKey} {
		a := call(t, url+path, key, ``)
		a.body = ""
		if a != want {
			t.Errorf("%s: %v", key, a)
		}
	}
	if a := get(t, url+"/status?key="+doKey); a.body != `{"outcome":"in_progress"}` {
		t.Errorf("status: %v", a)
	}
	close(finish)
	if a := <-first; a.status != 200 {
		t.Errorf("first: %v", a)
	}
}

func TestTwoProcessesOnOneDatabaseWaitForEachOther(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	one, two := newLedger(t, path), newLedger(t, path)
	begun, finish := make(chan struct{}), make(chan struct{})
	slow := service(t, one, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		close(begun)
		<-finish
		return effect(ctx, tx, c)
	}, effect)
	b, err := participant.New(two.db, participant.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	impatient := service(t, &ledger{barrier: b}, effect, effect)
	other := service(t, two, effect, effect)

	answers := make(chan answer, 2)
	go func() { answers <- call(t, slow+"/do", doKey, ``) }()
	<-begun
	if a := call(t, impatient+"/do", doKey, ``); a.status != 425 || a.outcome != "in_progress" {
		t.Errorf("while the other process is at work: %v", a)
	}
	if a := get(t, impatient+"/status?key="+doKey); a.body != `{"outcome":"in_progress"}` {
		t.Errorf("status meanwhile: %v", a)
	}
	go func() { answers <- call(t, other+"/do", doKey, ``) }()
	close(finish)
	if a, b := <-answers, <-answers; a.status != 200 || a != b {
		t.Errorf("answers: %v and %v", a, b)
	}
	if got := one.effects(t, "s1"); got != "action" {
		t.Errorf("effects: %s", got)
	}
}

func TestARefusalGivesWayToAnotherProcessThatWasFaster(t *testing.T) {
	path := filepath.Join(t.TempDir(), "books.db")
	one, two := newLedger(t, path), newLedger(t, path)
	transactions := 0
	b, err := participant.New(one.db, participant.Options{Now: func() time.Time {
		// The second transaction is to record the refusal; its lock is not taken yet.
		if transactions++; transactions == 2 {
			if _, err := two.barrier.Do(t.Context(), callOf("s1", participant.Action), effect); err != nil {
				t.Error(err)
			}
		}
		return time.UnixMicro(1)
	}})
	if err != nil {
		t.Fatal(err)
	}
	output, err := b.Do(t.Context(), callOf("s1", participant.Action), func(context.Context, *sql.Tx, participant.Call) (any, error) {
		return nil, participant.Refuse("out of stock")
	})
	if err != nil || string(output) != `{"did":"s1/step/action"}` {
		t.Errorf("got %s, %v", output, err)
	}
}

func TestASenderThatDawdlesIsCutOff(t *testing.T) {
	l := tempLedger(t)
	b, err := participant.New(l.db, participant.Options{Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	url := serve(t, b.Handler(effect))
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\nIdempotency-Key: %s\r\n\r\n{", doKey)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusBadRequest {
		t.Errorf("got %s", res.Status)
	}
}

func TestACallerThatGoesAwayLeavesNothingBehind(t *testing.T) {
	l := tempLedger(t)
	quiet(t, l)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	url := service(t, l, func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		_, err := effect(ctx, tx, c)
		cancel()
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, err
	}, effect)
	if res, err := http.DefaultClient.Do(newRequest(t, url+"/do", doKey, ``).WithContext(ctx)); err == nil {
		res.Body.Close()
		t.Error("an answer came")
	}
	<-ended
	if a := get(t, url+"/status?key="+doKey); a.body != `{"outcome":"not_done"}` && a.body != `{"outcome":"in_progress"}` {
		t.Errorf("status: %v", a)
	}
}

func TestAPanicRollsBackAndLetsTheNextCallIn(t *testing.T) {
	l := tempLedger(t)
	var crash atomic.Bool
	crash.Store(true)
	h := l.barrier.Handler(func(ctx context.Context, tx *sql.Tx, c participant.Call) (any, error) {
		output, err := effect(ctx, tx, c)
		if crash.Load() {
			panic(http.ErrAbortHandler)
		}
		return output, err
	})
	url := serve(t, h)
	if res, err := http.DefaultClient.Do(newRequest(t, url, doKey, ``)); err == nil {
		res.Body.Close()
		t.Error("an answer came")
	}
	crash.Store(false)
	if a := call(t, url, doKey, ``); a.status != 200 {
		t.Errorf("next: %v", a)
	}
	if got := l.effects(t, "s1"); got != "action" {
		t.Errorf("effects: %s", got)
	}
}
