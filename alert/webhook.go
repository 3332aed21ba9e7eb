package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/unwindhq/unwind"
)

// A Payload is the body of a webhook: the form that Standard Webhooks recommends.
type Payload struct {
	// Type is "unwind.alert." and the alert's kind.
	Type      string       `json:"type"`
	Timestamp unwind.Time  `json:"timestamp"`
	Data      unwind.Alert `json:"data"`
}

// send makes one signed call (https://www.standardwebhooks.com).
func (s *Sender) send(ctx context.Context, k *sink, a *unwind.Alert) error {
	body, err := json.Marshal(Payload{Type: "unwind.alert." + a.Kind, Timestamp: a.At, Data: *a})
	if err != nil {
		return fmt.Errorf("writing the alert: %w", err)
	}
	id, now := messageID(a), time.Now()
	signature, err := k.signer.Sign(id, now, body)
	if err != nil {
		return fmt.Errorf("signing the alert: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("calling the sink: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "unwind")
	req.Header.Set("webhook-id", id)
	req.Header.Set("webhook-timestamp", fmt.Sprint(now.Unix()))
	req.Header.Set("webhook-signature", signature)
	resp, err := s.cfg.Client.Do(req)
	if err != nil {
		return fmt.Errorf("calling the sink: %w", withoutURL(err))
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return fmt.Errorf("the sink answered %s; it must answer 2xx to acknowledge", resp.Status)
	}
	return nil
}

// messageID is the same whenever an alert is sent again, and no other alert's,
// whichever store it lies in: a store counts its alerts, and a saga is in one.
func messageID(a *unwind.Alert) string {
	origin := a.SagaID
	if origin == "" {
		origin = strconv.FormatInt(a.At.UnixMicro(), 10)
	}
	return "alert_" + origin + "_" + a.ID
}

// place is an address without what may be secret in it: user, path and query.
func place(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "an address that can't be read"
	}
	return u.Scheme + "://" + u.Host
}

// withoutURL takes the address off an error of net/http or net/url.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
