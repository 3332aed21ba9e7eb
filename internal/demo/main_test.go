package demo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"testing"

	"go.uber.org/goleak"

	"github.com/unwindhq/unwind/internal/demo"
	"github.com/unwindhq/unwind/participant"
)

// asParticipant has the test binary be a participant, to be killed.
const asParticipant = "UNWIND_TEST_PARTICIPANT"

func TestMain(m *testing.M) {
	if text := os.Getenv(asParticipant); text != "" {
		var o demo.Options
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			panic(err)
		}
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err := demo.RunParticipant(ctx, o, os.Stdout)
		stop()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// open opens a participant and serves it.
func open(t testing.TB, o demo.Options) (*demo.Participant, string) {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Log = slog.New(slog.DiscardHandler)
	p, err := demo.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		server.Close()
		http.DefaultClient.CloseIdleConnections()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p, server.URL
}

// A reply is what a caller sees.
type reply struct {
	status  int
	outcome string
	body    string
	header  http.Header
}

// call sends one call of a saga's step, as the engine does.
func call(ctx context.Context, client *http.Client, url, saga, step string, d participant.Direction, order demo.Order) (reply, error) {
	body, err := json.Marshal(map[string]any{"saga": map[string]string{"id": saga, "name": "place-order", "key": order.OrderID}, "input": order})
	if err != nil {
		return reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for name, value := range map[string]string{
		participant.HeaderKey:       saga + "/" + step + "/" + string(d),
		participant.HeaderSaga:      saga,
		participant.HeaderStep:      step,
		participant.HeaderDirection: string(d),
		participant.HeaderAttempt:   "1",
	} {
		r.Header.Set(name, value)
	}
	res, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header.Get(participant.HeaderOutcome), string(text), res.Header}, err
}

func mustCall(t testing.TB, url, saga, step string, d participant.Direction, order demo.Order) reply {
	t.Helper()
	r, err := call(t.Context(), http.DefaultClient, url, saga, step, d, order)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
