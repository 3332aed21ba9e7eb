package alert

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/engine"
)

// A Payload is the body of a webhook: the form that Standard Webhooks recommends.
type Payload struct {
	// Type is "unwind.alert." and the alert's kind, and ".resolved" for its end.
	Type      string      `json:"type"`
	Timestamp unwind.Time `json:"timestamp"`
	Data      Data        `json:"data"`
}

// Data is an alert as its receiver is told of it.
type Data struct {
	unwind.Alert
	// Delivered is never set, and keeps the alert's own out of the body: whether all
	// sinks have it means nothing to one of them.
	Delivered *bool `json:"delivered,omitempty"`
}

type webhook struct{ signer *standardwebhooks.Webhook }

// say signs anew on every try: a receiver refuses what is old.
func (w *webhook) say(n *engine.Notice) (*message, error) {
	p := Payload{Type: "unwind.alert." + n.Kind, Timestamp: n.At, Data: Data{Alert: n.Alert}}
	if n.Ended {
		p.Type, p.Timestamp = p.Type+".resolved", *n.ResolvedAt
	}
	body, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("marshalling it: %w", err)
	}
	id, now := noticeID(n), time.Now()
	signature, err := w.signer.Sign(id, now, body)
	if err != nil {
		return nil, fmt.Errorf("signing it: %w", err)
	}
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", strconv.FormatInt(now.Unix(), 10))
	h.Set("webhook-signature", signature)
	return &message{body, h}, nil
}

// alertID is the same in every notice of an alert, and no other alert's, whichever
// store it lies in: a store counts its alerts, and a saga is in one.
func alertID(a *unwind.Alert) string {
	origin := a.SagaID
	if origin == "" {
		origin = strconv.FormatInt(a.At.UnixMicro(), 10)
	}
	return "alert_" + origin + "_" + a.ID
}

func noticeID(n *engine.Notice) string {
	if n.Ended {
		return alertID(&n.Alert) + "_resolved"
	}
	return alertID(&n.Alert)
}
