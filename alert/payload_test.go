package alert_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/unwindhq/unwind"
	"github.com/unwindhq/unwind/alert"
	"github.com/unwindhq/unwind/engine"
)

// told runs a sink against a server that is told that an alert fires and has ended.
func told(t *testing.T, k alert.Sink, answer int, notices ...engine.Notice) []call {
	t.Helper()
	r := &receiver{answer: answer}
	url := serve(t, r)
	if k.Kind == alert.Slack || k.Kind == alert.PagerDuty || k.Kind == alert.Webhook {
		url += "/in"
	}
	k.URL = url
	src := newSource()
	src.notices = notices
	run(t, alert.Config{Source: src, Sinks: []alert.Sink{k}, Name: "shop-1"})
	src.delivered(t, 1)
	calls := r.got()
	if len(calls) != len(notices) {
		t.Fatalf("%d calls tell of %d notices", len(calls), len(notices))
	}
	for _, c := range calls {
		if got := c.header.Get("Content-Type"); got != "application/json" {
			t.Errorf("the content type is %q", got)
		}
	}
	return calls
}

// https://www.standardwebhooks.com: webhook-id, webhook-timestamp and webhook-signature.
func TestAWebhookIsSigned(t *testing.T) {
	calls := told(t, alert.Sink{Kind: alert.Webhook, Secret: secret}, 204, notice(1, "7"), ended())
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	var got []alert.Payload
	for _, c := range calls {
		if err := verifier.Verify(c.body, c.header); err != nil {
			t.Errorf("the signature: %v", err)
		}
		got = append(got, decode[alert.Payload](t, c.body))
		if strings.Contains(string(c.body), "delivered") {
			t.Errorf("a receiver is told whether others have it: %s", c.body)
		}
	}
	over := ended().Alert
	want := []alert.Payload{
		{Type: "unwind.alert.dead_letter", Timestamp: begin, Data: alert.Data{Alert: notice(1, "7").Alert}},
		{Type: "unwind.alert.dead_letter.resolved", Timestamp: *over.ResolvedAt, Data: alert.Data{Alert: over}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if a, b := calls[0].header.Get("webhook-id"), calls[1].header.Get("webhook-id"); a != "alert_1700000000123456_7" || b != a+"_resolved" {
		t.Errorf("the ids are %s and %s", a, b)
	}
}

// The first alert of two stores has one id in each: sagas and times tell them apart.
func TestNoTwoAlertsShareAnID(t *testing.T) {
	first, second := notice(1, "1"), notice(2, "1")
	first.SagaID, second.SagaID = "s1", "s2"
	third, fourth := notice(3, "1"), notice(4, "1")
	fourth.At = unwind.TimeFromMicros(18)
	seen := map[string]bool{}
	for _, c := range told(t, alert.Sink{Kind: alert.Webhook, Secret: secret}, 200, first, second, third, fourth) {
		seen[c.header.Get("webhook-id")] = true
	}
	if len(seen) != 4 {
		t.Errorf("the ids are %v", seen)
	}
}

// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
// /reference/block-kit: text is what notifications show; &, < and > are escaped;
// a section's text has 3000 characters at most, a context 10 elements.
func TestSlackGetsBlocks(t *testing.T) {
	type text struct{ Type, Text string }
	type block struct {
		Type     string
		Text     *text
		Elements []text
	}
	type message struct {
		Text   string
		Blocks []block
	}
	long := notice(3, "8")
	long.Message = strings.Repeat("<é>", 5000)
	local := notice(4, "9")
	local.Runbook, local.Link = "docs/runbooks/dead_letter.md", "/v1/dead-letters?state=open"
	var got []message
	for _, c := range told(t, alert.Sink{Kind: alert.Slack}, 200, notice(1, "7"), ended(), long, local) {
		got = append(got, decode[message](t, c.body))
	}
	want := message{
		Text: `Firing: Dead letters: the refund of 7 died: &lt;402&gt; &amp; "broke"`,
		Blocks: []block{
			{Type: "section", Text: &text{"mrkdwn", ":red_circle: *Firing* · *Dead letters*\nthe refund of 7 died: &lt;402&gt; &amp; \"broke\""}},
			{Type: "context", Elements: []text{
				{"mrkdwn", "<https://docs.example/runbooks/dead_letter.md|Runbook>"},
				{"mrkdwn", "<https://unwind.example/dead-letters?group=g7&state=open|Look>"},
				{"mrkdwn", "since 2023-11-14 22:13:20Z"},
			}},
		},
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v, want %+v", got[0], want)
	}
	if m := got[1]; m.Text != "Resolved: Dead letters: none of its dead letters is open" || !strings.HasPrefix(m.Blocks[0].Text.Text, ":white_check_mark: *Resolved*") {
		t.Errorf("the end is %+v", m)
	}
	if m := got[2]; len(m.Text) > 3000 || len(m.Blocks[0].Text.Text) > 3000 || !strings.HasSuffix(m.Text, "…") {
		t.Errorf("a long message has %d and %d bytes", len(m.Text), len(m.Blocks[0].Text.Text))
	}
	if e := got[3].Blocks[1].Elements; e[0].Text != "Runbook: `docs/runbooks/dead_letter.md`" {
		t.Errorf("a path is shown as %q", e[0].Text)
	}
}

// https://developer.pagerduty.com/docs/send-alert-event: routing_key, event_action,
// dedup_key (255 characters at most), payload.summary (1024), source and severity
// (critical, error, warning, info) are needed; a resolve needs no payload.
func TestPagerDutyGetsATriggerAndAResolve(t *testing.T) {
	type link struct{ Href, Text string }
	type payload struct {
		Summary, Source, Severity, Timestamp, Component, Group, Class string
		CustomDetails                                                 unwind.Alert `json:"custom_details"`
	}
	type event struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Client      string
		ClientURL   string `json:"client_url"`
		Payload     *payload
		Links       []link
	}
	const key = "R0123456789ABCDEF0123456789ABCDE"
	long := notice(3, "8")
	long.Message = strings.Repeat("é", 5000)
	var got []event
	for _, c := range told(t, alert.Sink{Kind: alert.PagerDuty, Secret: key}, 202, notice(1, "7"), ended(), long) {
		got = append(got, decode[event](t, c.body))
	}
	a := notice(1, "7").Alert
	want := event{
		RoutingKey: key, EventAction: "trigger", DedupKey: "alert_1700000000123456_7", Client: "Unwind", ClientURL: a.Link,
		Payload: &payload{
			Summary: `Dead letters: the refund of 7 died: <402> & "broke"`, Source: "shop-1", Severity: "critical", Timestamp: "2023-11-14T22:13:20.123456Z",
			Component: "payments", Group: "place-order", Class: "dead_letter", CustomDetails: a,
		},
		Links: []link{{a.Link, "Look"}, {a.Runbook, "Runbook"}},
	}
	if !reflect.DeepEqual(got[0], want) {
		t.Errorf("got %+v\n%+v, want %+v\n%+v", got[0], got[0].Payload, want, want.Payload)
	}
	if resolve := (event{RoutingKey: key, EventAction: "resolve", DedupKey: want.DedupKey}); !reflect.DeepEqual(got[1], resolve) {
		t.Errorf("the end is %+v", got[1])
	}
	if n := len(got[2].Payload.Summary); n > 1024 {
		t.Errorf("a summary has %d bytes", n)
	}
}

type postable struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
}

// The API's openapi.yaml, version 2: postableAlerts is a list of alerts with labels
// (needed), annotations, startsAt, endsAt and generatorURL (a URI).
func TestAlertmanagerGetsStartsAndEnds(t *testing.T) {
	before := time.Now()
	calls := told(t, alert.Sink{Kind: alert.Alertmanager}, 200, notice(1, "7"), ended())
	a := notice(1, "7").Alert
	want := postable{
		Labels: map[string]string{
			"alertname": "UnwindDeadLetter", "kind": "dead_letter", "key": "dead_letter/g7", "severity": "critical", "instance": "shop-1",
			"service": "payments", "saga": "place-order", "group": "g7",
		},
		Annotations: map[string]string{"summary": "Dead letters", "description": a.Message, "runbook_url": a.Runbook, "link": a.Link},
		StartsAt:    begin.Time, GeneratorURL: a.Link,
	}
	for i, c := range calls {
		if c.path != "/api/v2/alerts" {
			t.Errorf("it was posted to %s", c.path)
		}
		list := decode[[]postable](t, c.body)
		if len(list) != 1 {
			t.Fatalf("%d alerts in a call", len(list))
		}
		ends := list[0].EndsAt
		list[0].EndsAt = time.Time{}
		if i == 1 {
			want.Annotations["description"] = ended().Message
			if !ends.Equal(ended().ResolvedAt.Time) {
				t.Errorf("it ended at %v", ends)
			}
		} else if ends.Before(before.Add(4 * time.Minute)) {
			t.Errorf("what fires ends at %v unless it is told again", ends)
		}
		if !reflect.DeepEqual(list[0], want) {
			t.Errorf("got %+v, want %+v", list[0], want)
		}
	}
}

// Alertmanager forgets what it is not told again.
func TestAlertmanagerIsToldAgainWhatFires(t *testing.T) {
	r := &receiver{more: make(chan struct{}, 1)}
	src := newSource("1", "2")
	run(t, alert.Config{Source: src, Refresh: 2 * time.Millisecond, Sinks: []alert.Sink{{Kind: alert.Alertmanager, URL: serve(t, r)}}})
	deadline := time.After(20 * time.Second)
	for {
		for _, c := range r.got() {
			if list := decode[[]postable](t, c.body); len(list) == 2 && list[1].Labels["key"] == "dead_letter/g2" && list[0].EndsAt.After(list[0].StartsAt) {
				return
			}
		}
		select {
		case <-r.more:
		case <-deadline:
			t.Fatal("it was not told again")
		}
	}
}
