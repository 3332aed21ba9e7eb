package alert

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// pagerDuty speaks version 2 of its events
// (https://developer.pagerduty.com/docs/send-alert-event).
type pagerDuty struct{ routingKey, source string }

type pagerDutyEvent struct {
	RoutingKey  string            `json:"routing_key"`
	EventAction string            `json:"event_action"`
	DedupKey    string            `json:"dedup_key"`
	Client      string            `json:"client,omitempty"`
	ClientURL   string            `json:"client_url,omitempty"`
	Payload     *pagerDutyPayload `json:"payload,omitempty"`
	Links       []pagerDutyLink   `json:"links,omitempty"`
}

type pagerDutyPayload struct {
	Summary       string       `json:"summary"`
	Source        string       `json:"source"`
	Severity      string       `json:"severity"`
	Timestamp     string       `json:"timestamp"`
	Component     string       `json:"component,omitempty"`
	Group         string       `json:"group,omitempty"`
	Class         string       `json:"class"`
	CustomDetails unwind.Alert `json:"custom_details"`
}

type pagerDutyLink struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// pagerDutySummary is the most bytes of a summary.
const pagerDutySummary = 1024

func (p *pagerDuty) say(n *engine.Notice) (*message, error) {
	e := pagerDutyEvent{RoutingKey: p.routingKey, EventAction: "trigger", DedupKey: alertID(&n.Alert)}
	if n.Ended {
		e.EventAction = "resolve"
	} else {
		e.Client = "Unwind"
		e.Payload = &pagerDutyPayload{
			Summary: cut(summary(&n.Alert), pagerDutySummary), Source: p.source, Severity: severity(n.Kind), Timestamp: n.At.UTC().Format(time.RFC3339Nano),
			Component: n.Service, Group: n.Saga, Class: n.Kind, CustomDetails: n.Alert,
		}
		if isURL(n.Link) {
			e.ClientURL = n.Link
			e.Links = append(e.Links, pagerDutyLink{n.Link, "Look"})
		}
		if isURL(n.Runbook) {
			e.Links = append(e.Links, pagerDutyLink{n.Runbook, "Runbook"})
		}
	}
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("marshalling it: %w", err)
	}
	return &message{body: body}, nil
}
