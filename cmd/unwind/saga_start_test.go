package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const begun = `{"id":"01a20600-0000-7000-8000-000000000000","saga":"order","status":"running","input":{},"steps":[],"created_at":"2026-01-02T15:04:05Z","updated_at":"2026-01-02T15:04:05Z"}`

// broken is what a start says that is interrupted at a request of this method.
func broken(t *testing.T, method string, args ...string) string {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not see that the client goes
		if r.Method == method {
			interrupt()
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, begun)
	}))
	defer server.Close()
	var stdout, stderr strings.Builder
	line := append([]string{"unwind", "--server", server.URL, "saga", "start", "order"}, args...)
	if code := run(ctx, line, strings.NewReader(""), &stdout, &stderr); code != exitInterrupted || stdout.Len() > 0 {
		t.Errorf("it ends with %d and %q", code, stdout.String())
	}
	return stderr.String()
}

// Ctrl-C ends the waiting, not the saga: who breaks off hears how to find it.
func TestAStartThatIsInterruptedTellsHowToGoOn(t *testing.T) {
	for _, c := range []struct {
		method string
		args   []string
		want   string
	}{
		{"GET", []string{"--wait", "10s"}, "saga 01a20600-0000-7000-8000-000000000000 was begun and goes on: unwind saga watch 01a20600-0000-7000-8000-000000000000 follows it, unwind saga cancel 01a20600-0000-7000-8000-000000000000 turns it back\n"},
		{"POST", []string{"--key", "ORD 1"}, "it is not known whether the saga has begun; to look for it: unwind saga list --saga order --key 'ORD 1'\nthe same start with this key begins no second one\n"},
		{"POST", []string{"--wait", "10s"}, "it is not known whether the saga has begun; to look for it: unwind saga list --saga order --since 1m\n"},
	} {
		if got := broken(t, c.method, c.args...); got != c.want {
			t.Errorf("interrupted at %s, %q says %q, want %q", c.method, c.args, got, c.want)
		}
	}
}
