package main

import (
	"encoding/json"
	"testing"
)

func TestTheAuditSaysWhatWasSet(t *testing.T) {
	for data, want := range map[string]string{
		``: "", `{"version":7}`: "",
		`{"limits":{"rate":"20/s","concurrency":3,"window":"2000/1m","burst":4,"weight":5,"hint_cap":"10s","adaptive":false},"expires_in":"1h","before":{"rate":"5/s"}}`: "rate 20/s, window 2000/min, concurrency 3, burst 4, weight 5, hint cap 10s, not adaptive, for 1h0m0s",
		`{"reset":true,"limits":{"adaptive":true},"paused":true}`:                                      "paused, limits taken back, adaptive",
		`{"paused":true,"expires_in":"10m"}`:                                                           "paused, for 10m0s",
		`{"changes":[{"paused":true,"until":1700000000000000,"at":1}]}`:                                "paused",
		`{"breaker":"open","expires_in":"30m"}`:                                                        "breaker open, for 30m0s",
		`{"changes":[{"limits":{"rate":"3/s"},"breaker":"closed","until":1700000000000000,"at":1}]}`:   "rate 3/s, breaker closed",
		`{"until":"2026-01-02T03:04:05.000000Z","by":"429"}`:                                           "was closed until 2026-01-02 03:04:05Z (429)",
		`{"kind":"replay","selection":{"group":"g"},"items":50,"rate":"20/s","canary":10,"auto":true}`: "replay of 50, rate 20/s, canary 10, then by itself",
		`{"rate":null}`:   "",
		`{"operation":7}`: "operation 7",
		`{"new_key":true,"evidence":"slip 4711"}`:                           "under a new key, evidence: slip 4711",
		`{"as":"done","evidence":""}`:                                       "as done",
		`{"owner":"ann"}`:                                                   "owner ann",
		`{"version":"sha256:0123456789abcdef0123456789abcdef0123456789ab"}`: "version sha256:0123456789ab…",
	} {
		if got := auditDetail(json.RawMessage(data)); got != want {
			t.Errorf("of %s it says %q, want %q", data, got, want)
		}
	}
}
