package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
	"github.com/unwindhq/unwind/store/memory"
)

func TestStartsThatAreRefused(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", ok)}})
	fill := func(n int) json.RawMessage { return json.RawMessage(`"` + strings.Repeat("x", n-2) + `"`) }
	for _, c := range []struct {
		name    string
		req     unwind.StartRequest
		code    unwind.Code
		pointer string
	}{
		{"nothing but a saga", unwind.StartRequest{Saga: "order"}, "", ""},
		{"no saga", unwind.StartRequest{}, unwind.InvalidRequest, "/saga"},
		{"an unknown saga", unwind.StartRequest{Saga: "odrer"}, unwind.UnknownSaga, ""},
		{"1 MiB of input", unwind.StartRequest{Saga: "order", Input: fill(unwind.MaxInput)}, "", ""},
		{"a byte more", unwind.StartRequest{Saga: "order", Input: fill(unwind.MaxInput + 1)}, unwind.TooLarge, ""},
		{"a key of 256 bytes", unwind.StartRequest{Saga: "order", Key: strings.Repeat("k", 256)}, "", ""},
		{"a key of 257 bytes", unwind.StartRequest{Saga: "order", Key: strings.Repeat("k", 257)}, unwind.InvalidRequest, "/key"},
		{"a tenant of 257 bytes", unwind.StartRequest{Saga: "order", Tenant: strings.Repeat("k", 257)}, unwind.InvalidRequest, "/tenant"},
		{"a key of other letters", unwind.StartRequest{Saga: "order", Key: "Größe 7/8 ∞ 🙂"}, "", ""},
		{"a key with a line break", unwind.StartRequest{Saga: "order", Key: "a\nb"}, unwind.InvalidRequest, "/key"},
		{"a key with NUL", unwind.StartRequest{Saga: "order", Key: "a\x00b"}, unwind.InvalidRequest, "/key"},
		{"a key that is not UTF-8", unwind.StartRequest{Saga: "order", Key: "a\xff"}, unwind.InvalidRequest, "/key"},
		{"a wait of a minute", unwind.StartRequest{Saga: "order", Wait: unwind.Minute}, "", ""},
		{"a longer wait", unwind.StartRequest{Saga: "order", Wait: unwind.Minute + 1}, unwind.InvalidRequest, "/wait"},
		{"a negative wait", unwind.StartRequest{Saga: "order", Wait: -1}, unwind.InvalidRequest, "/wait"},
		{"input that is not JSON", unwind.StartRequest{Saga: "order", Input: json.RawMessage(`{"a":`)}, unwind.InvalidRequest, "/input"},
		{"two inputs", unwind.StartRequest{Saga: "order", Input: json.RawMessage(`{}{}`)}, unwind.InvalidRequest, "/input"},
		{"white space for input", unwind.StartRequest{Saga: "order", Input: json.RawMessage(` `)}, unwind.InvalidRequest, "/input"},
		{"input that is not UTF-8", unwind.StartRequest{Saga: "order", Input: json.RawMessage("\"\xff\"")}, unwind.InvalidRequest, "/input"},
		{"a member that is there twice", unwind.StartRequest{Saga: "order", Input: json.RawMessage(`{"x":[{"a":1,"b":2,"\u0061":1}]}`)}, unwind.InvalidRequest, "/input"},
		{"100,000 brackets", unwind.StartRequest{Saga: "order", Input: json.RawMessage(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000))}, unwind.InvalidRequest, "/input"},
		{"100,000 objects", unwind.StartRequest{Saga: "order", Input: json.RawMessage(strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000))}, unwind.InvalidRequest, "/input"},
	} {
		inst, created, err := e.Start(t.Context(), c.req)
		if unwind.CodeOf(err) != c.code && !(err == nil && c.code == "") {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.code == "" && (!created || inst == nil) {
			t.Errorf("%s: created %v", c.name, created)
		}
		var u *unwind.Error
		if c.pointer != "" && (!errors.As(err, &u) || len(u.Faults) == 0 || u.Faults[0].Pointer != c.pointer) {
			t.Errorf("%s: the faults are %+v", c.name, u.Faults)
		}
	}
}

// The same input is the same whatever its spelling, and numbers are what they
// are written as.
func TestWhatIsTheSameInput(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", ok)}})
	long := strings.Repeat(`"`+strings.Repeat("x", 40)+`",`, 20)
	for i, c := range []struct {
		a, b string
		same bool
	}{
		{`{"a":1,"b":2}`, `{"b":2,"a":1}`, true},
		{`{"a":{"c":[1,{"y":1,"x":2}],"b":2}}`, ` { "a" : { "b" : 2 , "c" : [ 1 , { "x" : 2 , "y" : 1 } ] } } `, true},
		{`{"l":{"b":[` + long + `1],"a":1}}`, `{"l":{"a":1,"b":[` + long + `1]}}`, true},
		{`{"l":{"b":[` + long + `1],"a":1}}`, `{"l":{"a":1,"b":[` + long + `2]}}`, false},
		{`"A\u00e9\/\n🙂"`, `"\u0041é/\u000a\ud83d\ude42"`, true},
		{`"<&>"`, `"\u003c\u0026\u003e"`, true},
		{``, `null`, true},
		{`[1,2]`, `[2,1]`, false},
		{`1.0`, `1`, false},
		{`1e2`, `100`, false},
		{`-0`, `0`, false},
		{`12345678901234567890.10`, `12345678901234567890.1`, false},
		{`12345678901234567890.10`, `12345678901234567891.10`, false},
		{`"\ud800"`, `"\ud801"`, false},
		{`"\ud800"`, `"\ufffd"`, false},
		{`"1"`, `1`, false},
		{`{"a":null}`, `{}`, false},
		{`{"a":1,"b":[]}`, `{"a":1,"b":{}}`, false},
		{`"é"`, `"e\u0301"`, false}, // looks alike
		{`{"a":"1\",\"b\":\"2"}`, `{"a":"1","b":"2"}`, false},
	} {
		key := fmt.Sprint(i)
		first, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: key, Input: json.RawMessage(c.a)})
		if err != nil {
			t.Fatalf("%s: %v", c.a, err)
		}
		again, created, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: key, Input: json.RawMessage(c.b)})
		same := err == nil && !created && again.ID == first.ID
		if same != c.same || !c.same && unwind.CodeOf(err) != unwind.KeyReused {
			t.Errorf("%s and %s: created %v, error %v", c.a, c.b, created, err)
		}
	}
}

func TestAKeyBelongsToATenantAndASaga(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", ok), local("refund", ok)}})
	seen := map[string]bool{}
	for _, r := range []unwind.StartRequest{{Saga: "order", Key: "k"}, {Saga: "refund", Key: "k"}, {Saga: "order", Key: "k", Tenant: "a"}, {Saga: "order", Key: "k", Tenant: "b"}, {Saga: "order"}, {Saga: "order"}} {
		inst, created, err := e.Start(t.Context(), r)
		if err != nil || !created || seen[inst.ID] {
			t.Errorf("%+v: created %v, error %v", r, created, err)
		}
		seen[inst.ID] = true
	}
}

// In a bubble, whose clock stands while anybody has something to do: for 10,000 who start
// a busy machine takes longer than the engine waits for its store.
func TestTenThousandStartsOfOneKeyAreOneSaga(t *testing.T) { synctest.Test(t, tenThousandStarts) }

func tenThousandStarts(t *testing.T) {
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", ok)}})
	var (
		wg      sync.WaitGroup
		mu      sync.Mutex
		ids     = map[string]int{}
		created int
	)
	for range 10_000 {
		wg.Go(func() {
			inst, c, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: "k", Input: json.RawMessage(`{"n":1}`)})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Error(err)
				return
			}
			ids[inst.ID]++
			if c {
				created++
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || created != 1 {
		t.Errorf("%d sagas, %d of them created", len(ids), created)
	}
	stats, err := e.Stats(t.Context())
	if err != nil || stats.Sagas[unwind.Completed]+stats.Sagas[unwind.Running] != 1 {
		t.Errorf("the store has %+v, error %v", stats.Sagas, err)
	}
}

// held is a Go function that waits.
func held(hold chan struct{}) unwind.Func {
	return func(ctx context.Context, _ unwind.Request) (json.RawMessage, error) {
		select {
		case <-hold:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func TestTooManyActiveSagasAreRefusedUntilSomeEnd(t *testing.T) {
	hold := make(chan struct{})
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", held(hold))}, MaxActive: 50})
	start := func() error {
		_, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order"})
		return err
	}
	for i := range 50 {
		if err := start(); err != nil {
			t.Fatalf("start %d: %v", i, err)
		}
	}
	if after, is := isCode(start(), unwind.Overloaded); !is || after <= 0 {
		t.Errorf("one more was not refused as overloaded, with Retry-After: %v", after)
	}
	if stats, err := e.Stats(t.Context()); err != nil || stats.Started != 50 || stats.Refused != 1 || stats.ActiveSagas != 50 {
		t.Errorf("it counts %+v, error %v", stats, err)
	}
	close(hold)
	w := &world{Engine: e, t: t}
	w.until("it does not recover", func() bool { return start() == nil })
}

func TestInputsBeyondTheirBytesAreRefusedUntilSomeEnd(t *testing.T) {
	hold := make(chan struct{})
	e := open(t, engine.Config{Definitions: []unwind.Definition{local("order", held(hold))}, MaxActiveBytes: 1000})
	start := func(bytes int) error {
		_, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Input: json.RawMessage(`"` + strings.Repeat("x", bytes-2) + `"`)})
		return err
	}
	if err := start(900); err != nil {
		t.Fatal(err)
	}
	if after, is := isCode(start(101), unwind.Overloaded); !is || after <= 0 {
		t.Errorf("one more was not refused as overloaded, with Retry-After: %v", after)
	}
	if err := start(100); err != nil {
		t.Errorf("one that has room got %v", err)
	}
	close(hold)
	w := &world{Engine: e, t: t}
	w.until("it does not recover", func() bool { return start(1000) == nil })
}

// While one batch is written the next one fills: a slow disk makes large groups,
// and nobody waits for more than the commit under way and the own one, each of which
// may wait a millisecond for its like.
func TestASlowStoreFormsGroups(t *testing.T) { synctest.Test(t, slowStoreFormsGroups) }

func slowStoreFormsGroups(t *testing.T) {
	const delay, clients, each = 20 * time.Millisecond, 200, 5
	st := &faultyStore{Store: memory.New(), delay: delay}
	e := open(t, engine.Config{Store: st, Definitions: []unwind.Definition{local("order", ok)}})
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		worst time.Duration
	)
	begin := time.Now()
	for range clients {
		wg.Go(func() {
			for range each {
				begin := time.Now()
				if _, _, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order"}); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				worst = max(worst, time.Since(begin))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	st.set(func(f *faultyStore) {
		transitions := 0
		for _, n := range f.commits {
			transitions += n
		}
		if len(f.commits) > int(took/delay)+1 || transitions < clients*each {
			t.Errorf("%d commits of %d transitions in %s", len(f.commits), transitions, took)
		}
	})
	if worst > 2*(delay+time.Millisecond) {
		t.Errorf("a start took %s", worst)
	}
}

func TestWhoeverGoesWhileWaitingLeavesNothingBehind(t *testing.T) {
	hold := make(chan struct{})
	st := &faultyStore{Store: memory.New()}
	e := open(t, engine.Config{Store: st, Definitions: []unwind.Definition{local("order", ok)}})
	st.set(func(f *faultyStore) { f.hold = hold })
	for _, wait := range []unwind.Duration{0, 10 * unwind.Second} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, _, err := e.Start(ctx, unwind.StartRequest{Saga: "order", Key: wait.String(), Wait: wait})
		cancel()
		if unwind.CodeOf(err) != unwind.StoreUnavailable || !strings.Contains(err.Error(), "same key") {
			t.Errorf("a start whose client has gone got %v", err)
		}
	}
	st.set(func(f *faultyStore) { f.hold = nil })
	close(hold)
	w := &world{Engine: e, t: t}
	for _, wait := range []unwind.Duration{0, 10 * unwind.Second} {
		inst, created, err := e.Start(t.Context(), unwind.StartRequest{Saga: "order", Key: wait.String(), Wait: eventually})
		if err != nil || created || inst.Status != unwind.Completed {
			t.Errorf("the key began %+v, created %v, error %v", inst, created, err)
		}
	}
	w.until("sagas stay in memory", func() bool {
		stats, err := e.Stats(t.Context())
		return err == nil && stats.ActiveSagas == 0
	})
}

func TestAWaitEndsWithTheSagaOrItself(t *testing.T) {
	def := local("order", ok)
	def.Steps = append(def.Steps, unwind.Step{Name: "approve", Kind: unwind.SignalStep, Timeout: unwind.Hour})
	e := open(t, engine.Config{Definitions: []unwind.Definition{def}})
	req := unwind.StartRequest{Saga: "order", Key: "k", Wait: 40 * unwind.Millisecond}
	begin := time.Now()
	first, created, err := e.Start(t.Context(), req)
	if err != nil || !created || first.Status != unwind.Running || time.Since(begin) < req.Wait.Std() {
		t.Fatalf("after %s: %+v, created %v, error %v", time.Since(begin), first, created, err)
	}
	again, created, err := e.Start(t.Context(), req)
	if err != nil || created || again.ID != first.ID || again.Status != unwind.Running {
		t.Errorf("again: %+v, created %v, error %v", again, created, err)
	}
	req.Wait = eventually
	done := make(chan *unwind.Instance)
	go func() {
		inst, _, err := e.Start(t.Context(), req)
		if err != nil {
			t.Error(err)
		}
		done <- inst
	}()
	w := &world{Engine: e, t: t}
	w.until("nobody is waited for", func() bool { return w.step(first.ID, "approve").Status == unwind.StepAwaiting })
	if _, err := e.Signal(t.Context(), first.ID, unwind.SignalRequest{Name: "approve"}); err != nil {
		t.Fatal(err)
	}
	if inst := <-done; inst.Status != unwind.Completed {
		t.Errorf("who waited for the same saga got %+v", inst)
	}
}
