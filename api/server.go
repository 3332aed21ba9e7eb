package api

import (
	"bytes"
	"log"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"
)

// The bounds of a connection. What a route needs beyond them it asks for itself:
// a batch, and a stream of events.
const (
	headerTime     = 10 * time.Second
	readTime       = 30 * time.Second
	writeTime      = 100 * time.Second // a start may wait 60s
	idleTime       = 2 * time.Minute
	maxHeaderBytes = 16 << 10
)

// Server returns an HTTP server for the handler with bounds on what a client
// may take: time for the header and the body, the size of the header, idleness.
// Its Shutdown ends the streams of events.
func Server(h *Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       readTime,
		WriteTimeout:      writeTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(&serverLog{log: h.cfg.Logger, warn: rate.Sometimes{Interval: time.Minute}}, "", 0),
		// OPTIONS * is refused as every other path is.
		DisableGeneralOptionsHandler: true,
	}
	s.RegisterOnShutdown(h.Close)
	return s
}

// A serverLog takes what net/http logs. What clients do wrong is for Debug; that
// nobody new can connect is a warning, once a minute.
type serverLog struct {
	log  *slog.Logger
	warn rate.Sometimes
}

// Write implements io.Writer.
func (l *serverLog) Write(line []byte) (int, error) {
	text := string(bytes.TrimSpace(line))
	if !bytes.Contains(line, []byte("Accept error")) {
		l.log.Debug(text)
		return len(line), nil
	}
	l.warn.Do(func() {
		l.log.Warn("connections can't be accepted; clients wait: raise RLIMIT_NOFILE (ulimit -n), or lower the services' concurrency", "error", text)
	})
	return len(line), nil
}
