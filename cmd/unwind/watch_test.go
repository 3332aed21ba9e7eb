package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/unwindhq/unwind"
)

// A watch reads each full page of a history once, however long it takes.
func TestAWatchReadsOnWhereItWas(t *testing.T) {
	const id, perPage = "01a20600-0000-7000-8000-000000000000", 2
	looks, cursors := 0, []string{}
	answer := func(w http.ResponseWriter, body any) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/sagas/{id}", func(w http.ResponseWriter, _ *http.Request) {
		looks++
		status := unwind.Running
		if looks == 3 {
			status = unwind.Completed
		}
		answer(w, unwind.Instance{ID: id, Status: status})
	})
	mux.HandleFunc("GET /v1/sagas/{id}/history", func(w http.ResponseWriter, r *http.Request) {
		cursor := r.URL.Query().Get("cursor")
		cursors = append(cursors, cursor)
		from, _ := strconv.Atoi(cursor) // empty: 0
		there := 2*looks - 1            // entries: 1, 3, 5
		page := unwind.List[unwind.Entry]{Items: []unwind.Entry{}}
		for seq := from + 1; seq <= min(there, from+perPage); seq++ {
			page.Items = append(page.Items, unwind.Entry{Seq: int64(seq), Kind: "kind-" + strconv.Itoa(seq)})
		}
		if there > from+perPage {
			page.NextCursor = strconv.Itoa(from + perPage)
		}
		answer(w, page)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	var stdout, stderr strings.Builder
	if code := run(t.Context(), []string{"unwind", "--server", server.URL, "saga", "watch", id}, strings.NewReader(""), &stdout, &stderr); code != exitOK {
		t.Errorf("it ends with %d: %s", code, stderr.String())
	}
	var kinds []string
	for line := range strings.Lines(stdout.String()) {
		kinds = append(kinds, strings.Fields(line)[2])
	}
	if want := []string{"kind-1", "kind-2", "kind-3", "kind-4", "kind-5"}; !slices.Equal(kinds, want) {
		t.Errorf("it shows %v in\n%s", kinds, stdout.String())
	}
	if want := []string{"", "", "2", "2", "4"}; !slices.Equal(cursors, want) {
		t.Errorf("it read from %q; want %q", cursors, want)
	}
}
