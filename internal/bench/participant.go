package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// output is what an action answers.
const output = `{"id":"r-4711","ok":true}`

// RunParticipant is the child that sagas call: the smallest one there can be. It
// answers each POST at once, those to /hold when they are given up, and writes down
// those to /refund.
func RunParticipant(ctx context.Context, in io.Reader, out io.Writer) error {
	stop, err := Profile()
	if err != nil {
		return err
	}
	defer stop()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	var refunds ledger
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		switch r.URL.Path {
		case "/hold":
			<-r.Context().Done()
			return
		case "/refund":
			refunds.enter(r.Header.Get("Idempotency-Key"))
		}
		w.Header()["Content-Type"] = jsonType
		_, _ = io.WriteString(w, output)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	err = Converse(in, out, Ready{URL: "http://" + listener.Addr().String()}, func(req Request) (any, error) {
		if req.Do == "count" {
			return refunds.count(), nil
		}
		return Control(req)
	})
	_ = server.Close()
	if gone := <-served; !errors.Is(gone, http.ErrServerClosed) {
		err = errors.Join(err, gone)
	}
	return err
}

var jsonType = []string{"application/json"}
