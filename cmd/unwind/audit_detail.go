package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/unwindhq/unwind"
)

// An auditData is what rows of the audit keep beside their reason, of whatever action.
type auditData struct {
	setWords
	Paused    *bool           `json:"paused"`
	Reset     bool            `json:"reset"`
	ExpiresIn unwind.Duration `json:"expires_in"`
	Changes   []endedWords    `json:"changes"` // that have ended
	Until     *unwind.Time    `json:"until"`   // of a gate that was opened
	By        string          `json:"by"`
	Version   string          `json:"version"`
	NewKey    bool            `json:"new_key"`
	As        string          `json:"as"`
	Evidence  string          `json:"evidence"`
	Owner     string          `json:"owner"`
	Operation int64           `json:"operation"`
	Kind      string          `json:"kind"`
	Items     int64           `json:"items"`
	Rate      *unwind.Rate    `json:"rate"`
	Canary    int64           `json:"canary"`
	Auto      bool            `json:"auto"`
}

// setWords is what an operator has set at a scope.
type setWords struct {
	Limits  unwind.LimitsChange `json:"limits"`
	Breaker unwind.BreakerMode  `json:"breaker"`
}

// endedWords is what an operator had set for a while.
type endedWords struct {
	setWords
	Paused bool `json:"paused"`
}

// auditDetail says in few words what was set, or otherwise belongs to an act. Empty where
// the row keeps nothing of it, or what another version has written.
func auditDetail(data json.RawMessage) string {
	var d auditData
	if len(data) == 0 || json.Unmarshal(data, &d) != nil {
		return ""
	}
	var said []string
	add := func(is bool, format string, args ...any) {
		if is {
			said = append(said, fmt.Sprintf(format, args...))
		}
	}
	if d.Paused != nil {
		add(*d.Paused, "paused")
		add(!*d.Paused, "resumed")
	}
	add(d.Reset, "limits taken back")
	for _, set := range append(d.Changes, endedWords{setWords: d.setWords}) {
		add(set.Paused, "paused")
		said = append(said, limitWords(&set.Limits)...)
		add(set.Breaker != "", "breaker %s", set.Breaker)
	}
	add(d.ExpiresIn > 0, "for %s", d.ExpiresIn)
	if d.Until != nil {
		add(true, "was closed until %s (%s)", when(*d.Until), orDash(d.By))
	}
	add(d.Kind != "", "%s of %d", d.Kind, d.Items)
	if d.Rate != nil && !d.Rate.IsZero() {
		add(true, "rate %s", d.Rate)
	}
	add(d.Canary > 0, "canary %d", d.Canary)
	add(d.Auto, "then by itself")
	add(d.Operation > 0, "operation %d", d.Operation)
	add(d.As != "", "as %s", d.As)
	add(d.NewKey, "under a new key")
	add(d.Evidence != "", "evidence: %s", short(d.Evidence, 40))
	add(d.Owner != "", "owner %s", d.Owner)
	add(d.Version != "", "version %s", short(d.Version, 20))
	return strings.Join(said, ", ")
}

// limitWords names each limit that is set.
func limitWords(l *unwind.LimitsChange) (said []string) {
	if l.Rate != nil {
		said = append(said, "rate "+l.Rate.String())
	}
	if l.Window != nil {
		said = append(said, "window "+l.Window.String())
	}
	for _, n := range []struct {
		name  string
		value *int
	}{{"concurrency", l.Concurrency}, {"burst", l.Burst}, {"weight", l.Weight}} {
		if n.value != nil {
			said = append(said, n.name+" "+strconv.Itoa(*n.value))
		}
	}
	if l.HintCap != nil {
		said = append(said, "hint cap "+l.HintCap.String())
	}
	if l.Adaptive != nil {
		said = append(said, map[bool]string{true: "adaptive", false: "not adaptive"}[*l.Adaptive])
	}
	return said
}
