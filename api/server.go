package api

import (
	"log/slog"
	"net/http"
	"time"
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
		ErrorLog:          slog.NewLogLogger(h.cfg.Logger.Handler(), slog.LevelDebug),
		// OPTIONS * is refused as every other path is.
		DisableGeneralOptionsHandler: true,
	}
	s.RegisterOnShutdown(h.Close)
	return s
}
