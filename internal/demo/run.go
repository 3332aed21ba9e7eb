package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"
)

// Ready is the one JSON line that [RunParticipant] prints when it takes calls.
type Ready struct {
	Participant string `json:"participant"`
	Address     string `json:"address"`
	URL         string `json:"url"`
	PID         int    `json:"pid"`
}

// RunParticipant serves a participant until ctx ends, then lets the calls in
// flight finish for up to five seconds and closes the books. It writes [Ready]
// as one line to stdout once it takes calls. The error says what could not be
// opened, or that the stop was not clean; it is nil after a clean one. A
// participant that is killed loses nothing that it answered.
func RunParticipant(ctx context.Context, o Options, stdout io.Writer) (err error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	p, err := Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return fmt.Errorf("demo: %s: %w", o.Name, err)
	}
	server := &http.Server{
		Handler:           p.Handler(),
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(cmp.Or(o.Log, slog.Default()).Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	address := listener.Addr().String()
	line, err := json.Marshal(Ready{Participant: o.Name, Address: address, URL: "http://" + address, PID: os.Getpid()})
	if err == nil {
		_, err = stdout.Write(append(line, '\n'))
	}
	if err != nil {
		err = fmt.Errorf("demo: %s: tell the address: %w", o.Name, err)
	} else {
		select {
		case err := <-served:
			return fmt.Errorf("demo: %s: serve: %w", o.Name, err)
		case <-ctx.Done():
		}
	}
	stopping, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer done()
	if stop := server.Shutdown(stopping); stop != nil {
		err = errors.Join(err, fmt.Errorf("demo: %s: stop: %w", o.Name, stop), server.Close())
	}
	if gone := <-served; !errors.Is(gone, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("demo: %s: serve: %w", o.Name, gone))
	}
	return err
}
