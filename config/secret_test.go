package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/unwindhq/unwind/config"
)

func withSecrets(t *testing.T) *config.Config {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "token"), "canary-from-a-file\n")
	file := write(t, filepath.Join(dir, "unwind.yaml"), `
auth:
  tokens:
    - {name: env, role: admin, token: "env:UNWIND_TOKEN"}
    - {name: file, role: viewer, token: "file:token"}
services:
  payments:
    url: http://payments
    headers:
      Authorization: "env:PAYMENTS_TOKEN"
      X-Api-Key: canary-written-out
      X-Client: not-a-secret
      X-Basic-Auth: Basic b3BzOmNhbmFyeS1iYXNpYw==
alerts:
  sinks: [{webhook: "https://example.com/hook", secret: "env:ALERT_SECRET"}]
`)
	c, err := config.Load(file, environment(nil))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSecretsAreListedForScrubbingLongestFirst(t *testing.T) {
	got := withSecrets(t).Secrets()
	want := []string{
		alertSecret, alertSecret[len("whsec_"):], apiToken, "Basic b3BzOmNhbmFyeS1iYXNpYw==", "b3BzOmNhbmFyeS1iYXNpYw==",
		paymentsToken, "canary-from-a-file", "canary-written-out", "canary-payments", "canary-basic",
	}
	if !slices.IsSortedFunc(got, func(a, b string) int { return len(b) - len(a) }) {
		t.Errorf("not the longest first: %q", got)
	}
	if slices.Sort(got); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// No way of printing shows a secret, not even from behind an unexported field
// of somebody else's type.
func TestNoWayOfPrintingShowsASecret(t *testing.T) {
	c := withSecrets(t)
	holder := struct {
		inner  *config.Config
		value  config.Config
		secret config.Secret
	}{c, *c, c.Auth.Tokens[0].Token}
	var out bytes.Buffer
	for _, v := range []any{c, *c, c.Services, c.Auth, c.Auth.Tokens, c.Auth.Tokens[0].Token, &c.Auth.Tokens[0].Token, c.Alerts, holder, &holder} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%T"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		slog.New(slog.NewTextHandler(&out, nil)).Info("config", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("config", "v", v)
	}
	for _, secret := range c.Secrets() {
		for _, form := range []string{secret, fmt.Sprintf("%x", secret)} {
			if strings.Contains(out.String(), form) {
				t.Errorf("%q is shown", form)
			}
		}
	}
	if !strings.Contains(out.String(), "env:PAYMENTS_TOKEN") {
		t.Error("where a secret comes from is not shown")
	}
}

func TestParticipantsCarryTheirHeadersInTheClear(t *testing.T) {
	p := withSecrets(t).Participants()["payments"]
	if p.Headers["Authorization"] != paymentsToken || p.Headers["X-Client"] != "not-a-secret" {
		t.Errorf("got %q", p.Headers)
	}
}

func TestAFileCanBeCheckedWhereItsSecretsAreNot(t *testing.T) {
	c, err := config.Parse("unwind.yaml", read(t, "testdata/good/contract.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Auth.Tokens[0].Token; s.Reveal() != "" || s.IsZero() || s.Source() != "env:UNWIND_TOKEN" {
		t.Errorf("got %q from %s", s.Reveal(), s)
	}
	if got := c.Secrets(); len(got) > 0 {
		t.Errorf("got %q", got)
	}
}

func TestSecretFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "empty"), "\r\n")
	write(t, filepath.Join(dir, "large"), strings.Repeat("x", 64<<10+1))
	write(t, filepath.Join(dir, "windows"), "0123456789abcdef\r\n")
	for name, want := range map[string]string{
		"empty": "it is empty", "large": "more than 65536 bytes", "missing": "no such file", "": "names no file", ".": "not a regular file", "windows": "",
	} {
		file := fmt.Sprintf("auth: {tokens: [{name: a, role: admin, token: %q}]}", "file:"+name)
		c, err := config.Parse(filepath.Join(dir, "unwind.yaml"), []byte(file), none)
		switch {
		case want == "" && (err != nil || c.Auth.Tokens[0].Token.Reveal() != "0123456789abcdef"):
			t.Errorf("%s: got %v, %v", name, c, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

// Faults speak of what was written without repeating it where a secret belongs.
func TestNoFaultShowsASecret(t *testing.T) {
	files, err := sources("testdata/bad")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		data := read(t, path)
		if _, err := config.Parse(path, data, environment(data)); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
