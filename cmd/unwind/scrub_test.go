package main

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
)

func TestTheLogHidesSecrets(t *testing.T) {
	const secret = `s3cr"t-9f86d081`
	var out bytes.Buffer
	to := scrub(&out, []string{secret})
	for _, h := range []slog.Handler{slog.NewTextHandler(to, nil), slog.NewJSONHandler(to, nil)} {
		out.Reset()
		slog.New(h).With("with", secret).Info("said "+secret, "error", errors.New("sent "+secret))
		if text := out.String(); strings.Contains(text, "9f86d081") || strings.Count(text, "[hidden]") != 3 {
			t.Errorf("the log says %s", text)
		}
	}
}
