package config

import (
	"encoding/base64"
	"net/url"
	"strings"
)

func (v *faults) alerts(a Alerts) {
	if a.DeadLetters.Above < 0 {
		v.add("/alerts/dead_letters/above", "%d is negative; write 0 or more", a.DeadLetters.Above)
	}
	v.count("/alerts/dead_letters/per_minute", a.DeadLetters.PerMinute)
	v.span("/alerts/dead_letters/age", a.DeadLetters.Age)
	if a.DeadLetters.Amount < 0 {
		v.add("/alerts/dead_letters/amount", "%v is negative; write how much may be at risk, as in 10000", a.DeadLetters.Amount)
	}
	v.span("/alerts/compensation_age/above", a.CompensationAge.Above)
	v.span("/alerts/gate/above", a.Gate.Above)
	if s := a.WastedCalls.Above; s <= 0 || s > 1 {
		v.add("/alerts/wasted_calls/above", "%v is no share; write a number above 0 and up to 1, as in 0.2", s)
	}
	v.count("/alerts/wasted_calls/minimum", a.WastedCalls.Minimum)
	if a.Links.Dashboard != "" {
		v.address("/alerts/links/dashboard", "the link", a.Links.Dashboard)
	}
	if a.Links.Runbooks != "" {
		v.address("/alerts/links/runbooks", "the link", a.Links.Runbooks)
	}
	for i := range a.Sinks {
		v.sink(belowItem("/alerts/sinks", i), &a.Sinks[i])
	}
}

func (v *faults) sink(at string, s *Sink) {
	kinds := 0
	for _, is := range []bool{s.Webhook != "", !s.Slack.IsZero(), !s.PagerDuty.IsZero(), s.Alertmanager != ""} {
		if is {
			kinds++
		}
	}
	if kinds > 1 {
		v.add(at, "the sink names %d receivers; write one of webhook, slack, pagerduty and alertmanager in each", kinds)
		return
	}
	if s.URL != "" && s.PagerDuty.IsZero() {
		v.add(at+"/url", "url goes with pagerduty; the other kinds of sinks hold their address themselves")
	}
	switch {
	case !s.Slack.IsZero():
		if u, err := url.Parse(s.Slack.Reveal()); s.Slack.resolved() && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "") {
			v.add(at+"/slack", "what %s holds is not the URL of an incoming webhook, which begins with https://", s.Slack)
		}
	case !s.PagerDuty.IsZero():
		if key := s.PagerDuty.Reveal(); s.PagerDuty.resolved() && (len(key) != 32 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })) {
			v.add(at+"/pagerduty", "what %s holds is not the routing key of an Events API v2 integration, which has 32 characters", s.PagerDuty)
		}
		if s.URL != "" {
			v.address(at+"/url", "the url", s.URL)
		}
	case s.Alertmanager != "":
		v.address(at+"/alertmanager", "the address of the Alertmanager", s.Alertmanager)
	default:
		v.webhookSink(at, s)
		return
	}
	if !s.Secret.IsZero() {
		v.add(at+"/secret", "secret signs the calls to a webhook; take it away here")
	}
}

func (v *faults) webhookSink(at string, s *Sink) {
	if s.Webhook == "" {
		v.add(at+"/webhook", "the sink has no receiver; write webhook: and its URL, as in https://example.com/hooks/unwind, or slack, pagerduty or alertmanager")
	} else {
		v.address(at+"/webhook", "the webhook", s.Webhook)
	}
	switch {
	case s.Secret.IsZero():
		v.add(at+"/secret", "the sink has no secret to sign with; write env:NAME or file:PATH, and make one with: %s", makeSecret)
	case s.Secret.resolved() && !signingSecret(s.Secret.Reveal()):
		v.add(at+"/secret", "the secret in %s is not of the Standard Webhooks form, whsec_ and the base64 of 24 to 64 bytes; make one with: %s", s.Secret, makeSecret)
	}
}

const makeSecret = `echo "whsec_$(openssl rand -base64 32)"`

func signingSecret(s string) bool {
	encoded, ok := strings.CutPrefix(s, signingPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(encoded)
	return ok && err == nil && len(key) >= 24 && len(key) <= 64
}

// address judges a URL without repeating it: many hold a secret in their path.
func (v *faults) address(at, what, raw string) {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		v.add(at, "%s must be a URL that begins with https:// or http://, as in https://example.com/hooks/unwind", what)
	case u.User != nil:
		v.add(at, "%s holds a user or a password; take it away, it would be shown", what)
	case strings.Contains(raw, "#"):
		v.add(at, "%s holds a fragment, which is never sent; take it away", what)
	}
}
