package api_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
)

// 64 starts of 1 MiB at once: those that there is no room for are refused, and
// told when to come back.
func TestLargeStartsHaveABudgetOfBytes(t *testing.T) {
	for name, budget := range map[string]int64{"by default": 0, "of all": 1 << 30} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *api.Config) { c.MaxBodyBytes = budget })
			body := `{"saga":"order","input":{"a":"` + strings.Repeat("x", 1<<20-100) + `"}}`
			peak := watchHeap()
			statuses := map[int]int{}
			var mu sync.Mutex
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					r := f.do("POST", "/v1/sagas", body)
					mu.Lock()
					defer mu.Unlock()
					if statuses[r.status]++; r.status == http.StatusTooManyRequests && r.header.Get("Retry-After") == "" {
						t.Error("a refusal does not say when to come back")
					}
				})
			}
			wg.Wait()
			t.Logf("the answers are %v, and %d MiB of heap at the most", statuses, peak()>>20)
			if statuses[201] == 0 || statuses[201]+statuses[429] != 64 {
				t.Errorf("the answers are %v", statuses)
			}
			if r := f.do("POST", "/v1/sagas", `{"saga":"order"}`); r.status != http.StatusCreated {
				t.Errorf("a start after them got %d", r.status)
			}
		})
	}
}

// What is held is given back, and a body that is promised and does not come
// takes no room from others.
func TestBodiesBeyondTheBudgetAreRefused(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.MaxBodyBytes = 200_000 })
	large := fmt.Sprintf(`{"saga":"order","input":%q}`, strings.Repeat("x", 150_000))
	for range 5 {
		if r := f.do("POST", "/v1/sagas", large); r.status != http.StatusCreated {
			t.Fatalf("a body within the budget got %d: %s", r.status, r.body)
		}
	}
	held := strings.Replace(large, `"order"`, `"approval","key":"held","wait":"60s"`, 1)
	var wg sync.WaitGroup
	wg.Go(func() { f.do("POST", "/v1/sagas", held) }) // a start that waits holds its body
	saga := f.begun("held")
	defer wg.Wait()
	defer func() { f.do("POST", "/v1/sagas/"+saga+"/signal", `{"name":"approve"}`) }()
	var p problem
	r := f.do("POST", "/v1/sagas", large)
	if r.decode(t, &p); r.status != http.StatusTooManyRequests || p.Type != "urn:unwind:problem:overloaded" || r.header.Get("Retry-After") != "1" {
		t.Errorf("a body beyond it got %d, %+v", r.status, p)
	}
	if r := f.do("POST", "/v1/sagas", `{"saga":"order"}`); r.status != http.StatusCreated {
		t.Errorf("a small body got %d", r.status)
	}
	lines := f.do("POST", "/v1/sagas:batch", large+"\n"+`{"saga":"order"}`+"\n", "Content-Type: application/x-ndjson").body
	if !strings.Contains(lines, `{"line":1,"status":429,`) || !strings.Contains(lines, `{"line":2,"status":201,`) {
		t.Errorf("the batch got %.300s", lines)
	}
}

// begun waits until a key has begun a saga.
func (f *fixture) begun(key string) string {
	f.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		list, err := f.engine.List(f.t.Context(), unwind.Filter{Key: key})
		if err != nil {
			f.t.Fatal(err)
		}
		if len(list.Items) == 1 {
			return list.Items[0].ID
		}
	}
	f.t.Fatalf("key %s has begun nothing", key)
	return ""
}

// watchHeap returns what ends the watch, and says the most that was in use.
func watchHeap() func() uint64 {
	runtime.GC()
	stop, done := make(chan struct{}), make(chan uint64)
	go func() {
		var most uint64
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-tick.C:
			case <-stop:
				done <- most
				return
			}
		}
	}()
	return func() uint64 { close(stop); return <-done }
}
