package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/api"
)

const ndjson = "Content-Type: application/x-ndjson"

type batchLine struct {
	Line    int              `json:"line"`
	Status  int              `json:"status"`
	Saga    *unwind.Instance `json:"saga"`
	Problem *problem         `json:"problem"`
}

func (f *fixture) batch(body string) []batchLine {
	f.t.Helper()
	r := f.do("POST", "/v1/sagas:batch", body, ndjson)
	if r.status != 200 {
		f.t.Fatalf("got %d %s", r.status, r.body)
	}
	var all []batchLine
	d := json.NewDecoder(strings.NewReader(r.body))
	for d.More() {
		var l batchLine
		if err := d.Decode(&l); err != nil {
			f.t.Fatal(err)
		}
		all = append(all, l)
	}
	return all
}

func TestABatchAnswersEachLineInOrder(t *testing.T) {
	f := newFixture(t, nil)
	lines := []struct {
		body, problem string
		status        int
	}{
		{`{"saga":"order","key":"1"}`, "", 201},
		{`{"saga":"order","key":"1"}`, "", 200},
		{`{"saga":"order","key":"1","input":2}`, "key-reused", 422},
		{`{"saga":"nothing"}`, "unknown-saga", 404},
		{`{"saga":"order","wait":"1s"}`, "invalid-request", 422},
		{`{"saga":"order"`, "invalid-request", 400},
		{strings.Repeat("[", 1000), "invalid-request", 400},
		{"{\"saga\":\"\xff\"}", "invalid-request", 400},
		{`{"saga":"order","key":"2","input":{"n":1.100}}`, "", 201},
	}
	var body strings.Builder
	for _, l := range lines {
		body.WriteString(l.body + "\r\n")
	}
	got := f.batch(body.String())
	if len(got) != len(lines) {
		t.Fatalf("got %d answers to %d lines", len(got), len(lines))
	}
	for i, want := range lines {
		g := got[i]
		kind := ""
		if g.Problem != nil {
			kind = strings.TrimPrefix(g.Problem.Type, "urn:unwind:problem:")
		}
		if g.Line != i+1 || g.Status != want.status || kind != want.problem || (g.Saga == nil) == (g.Problem == nil) {
			t.Errorf("line %d: got %d %d %q, want %d %q", i+1, g.Line, g.Status, kind, want.status, want.problem)
		}
	}
	if got[0].Saga.ID != got[1].Saga.ID {
		t.Error("one key began two sagas")
	}
	if string(got[8].Saga.Input) != `{"n":1.100}` {
		t.Errorf("the input came back as %s", got[8].Saga.Input)
	}
}

func TestABatchHasAMostOfLines(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Service = instant{} })
	got := f.batch(strings.Repeat("{\"saga\":\"order\"}\n", 10_001))
	if len(got) != 10_001 || got[9_999].Status != 201 || got[10_000].Status != 413 {
		t.Errorf("got %d answers, the last %+v", len(got), got[len(got)-1])
	}
}

func TestALineThatIsTooLargeEndsTheBatch(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Service = instant{} })
	got := f.batch("{\"saga\":\"order\"}\n{\"saga\":\"order\",\"input\":\"" + strings.Repeat("x", 2<<20) + "\"}\n{\"saga\":\"order\"}\n")
	if len(got) != 2 || got[0].Status != 201 || got[1].Line != 2 || got[1].Status != 413 {
		t.Errorf("got %+v", got)
	}
}

// A client may decide on each line by the answer to the one before.
func TestABatchIsAnsweredWhileItIsSent(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.MaxBatches = 1 })
	in, out := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.url+"/v1/sagas:batch", in)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	first := make(chan error, 1)
	go func() {
		_, err := io.WriteString(out, "{\"saga\":\"order\"}\n")
		first <- err
	}()
	resp, err := f.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if r := f.do("POST", "/v1/sagas:batch", `{"saga":"order"}`, ndjson); r.status != 429 || r.header.Get("Retry-After") != "1" {
		t.Errorf("a second batch: got %d %s", r.status, r.body)
	}
	answers := bufio.NewScanner(resp.Body)
	for i := range 5 {
		if !answers.Scan() || !strings.HasPrefix(answers.Text(), fmt.Sprintf(`{"line":%d,"status":201`, i+1)) {
			t.Fatalf("answer %d is %q", i+1, answers.Text())
		}
		if _, err := io.WriteString(out, "{\"saga\":\"order\"}\n"); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if !answers.Scan() || answers.Scan() {
		t.Errorf("the batch does not end with its last answer: %q", answers.Text())
	}
}

// The service sees groups, never the whole batch.
func TestABatchHoldsOneGroupInMemory(t *testing.T) {
	most := &largest{}
	f := newFixture(t, func(c *api.Config) { c.Service = most })
	f.batch(strings.Repeat("{\"saga\":\"order\"}\n", 5_000))
	f.batch(strings.Repeat("{\"saga\":\"order\",\"input\":\""+strings.Repeat("x", 1<<20-2)+"\"}\n", 12))
	if most.lines > 512 || most.bytes > 6<<20 || most.lines < 2 {
		t.Errorf("a group had %d lines and %d bytes", most.lines, most.bytes)
	}
}

// An instant service starts everything.
type instant struct{ unwind.Service }

func (instant) StartBatch(_ context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	results := make([]unwind.StartResult, len(reqs))
	for i := range results {
		results[i] = unwind.StartResult{Instance: &unwind.Instance{Steps: []unwind.StepInstance{}}, Created: true}
	}
	return results, nil
}

// A largest service remembers the largest group.
type largest struct {
	instant
	lines, bytes int
}

func (l *largest) StartBatch(ctx context.Context, reqs []unwind.StartRequest) ([]unwind.StartResult, error) {
	size := 0
	for i := range reqs {
		size += len(reqs[i].Input)
	}
	l.lines, l.bytes = max(l.lines, len(reqs)), max(l.bytes, size)
	return l.instant.StartBatch(ctx, reqs)
}
