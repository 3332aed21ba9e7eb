package demo

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
)

// What is said of an alert stands before what those say who waited for it.
func TestASinkTellsOfAnAlertOnceAndBeforeThoseWhoWaitGoOn(t *testing.T) {
	t.Parallel()
	var s *Sink
	heard := 0
	s, err := OpenSink(t.Context(), func(alert.Payload) {
		if heard++; len(s.Firing()) != 0 {
			t.Error("those who wait went on before the alert was told of")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // as a sender does whose answer was lost
		tell(t, s, "msg_1", `{"type":"alert.firing","data":{"kind":"`+unwind.AlertLaneGuard+`","key":"a"}}`)
	}
	if err := s.WaitFor(t.Context(), unwind.AlertLaneGuard); err != nil || heard != 1 {
		t.Errorf("it was told of %d times, %v", heard, err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func tell(t *testing.T, s *Sink, id, body string) {
	t.Helper()
	now := time.Now()
	signature, err := s.verifier.Sign(id, now, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL, bytes.NewBufferString(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set(standardwebhooks.HeaderWebhookID, id)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("%s, %v", resp.Status, err)
	}
}
