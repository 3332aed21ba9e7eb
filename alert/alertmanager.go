package alert

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// alertmanager speaks version 2 of its API (POST /api/v2/alerts). What fires ends
// by itself unless it is told again, so endsAt lies some refreshes ahead.
type alertmanager struct {
	instance string
	ahead    time.Duration
}

type postableAlert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

func (m *alertmanager) say(n *engine.Notice) (*message, error) {
	until := time.Now().Add(m.ahead)
	if n.Ended {
		until = n.ResolvedAt.Time
	}
	return postable(m.alert(&n.Alert, until))
}

func (m *alertmanager) firing(alerts []unwind.Alert) (*message, error) {
	until := time.Now().Add(m.ahead)
	all := make([]postableAlert, len(alerts))
	for i := range alerts {
		all[i] = m.alert(&alerts[i], until)
	}
	return postable(all...)
}

func postable(alerts ...postableAlert) (*message, error) {
	body, err := json.Marshal(alerts)
	if err != nil {
		return nil, fmt.Errorf("marshalling it: %w", err)
	}
	return &message{body: body}, nil
}

// alert has labels that are the same in every notice: they are its identity. What
// has no key is known by its id.
func (m *alertmanager) alert(a *unwind.Alert, until time.Time) postableAlert {
	key := a.Key
	if key == "" {
		key = alertID(a)
	}
	p := postableAlert{
		Labels:      map[string]string{"alertname": alertName(a.Kind), "kind": a.Kind, "key": key, "severity": severity(a.Kind), "instance": m.instance},
		Annotations: map[string]string{"summary": title(a.Kind), "description": a.Message, "runbook_url": a.Runbook, "link": a.Link},
		StartsAt:    a.At.Time, EndsAt: until,
	}
	for name, v := range map[string]string{"service": a.Service, "saga": a.Saga, "lane": a.Lane, "group": a.Group} {
		if v != "" {
			p.Labels[name] = v
		}
	}
	if isURL(a.Link) {
		p.GeneratorURL = a.Link
	}
	return p
}

// alertName writes breaker_open as UnwindBreakerOpen.
func alertName(kind string) string {
	var b strings.Builder
	b.WriteString("Unwind")
	for word := range strings.SplitSeq(kind, "_") {
		if word != "" {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
	}
	return b.String()
}
