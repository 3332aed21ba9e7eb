package config

import "github.com/unwindhq/unwind"

// Alerts say what a person must hear of, and where.
type Alerts struct {
	DeadLetters DeadLettersAlert `json:"dead_letters,omitzero"`
	// CompensationAge fires while the oldest compensation of a service is older.
	// Defaults to 5m.
	CompensationAge AgeAlert `json:"compensation_age,omitzero"`
	// Gate fires while a service has kept a lane closed for longer. Defaults to 2m.
	Gate AgeAlert `json:"gate,omitzero"`
	// WastedCalls fires while a service turns more of its calls away.
	WastedCalls WasteAlert `json:"wasted_calls,omitzero"`
	// Links are where alerts lead to.
	Links Links  `json:"links,omitzero"`
	Sinks []Sink `json:"sinks,omitempty"`
}

// DeadLettersAlert are bounds on open dead letters.
type DeadLettersAlert struct {
	// Above is how many may be open in silence. Defaults to 0: each has an alert.
	Above int `json:"above"`
	// PerMinute is how many may die within a minute. Defaults to 60.
	PerMinute int `json:"per_minute,omitempty"`
	// Age is how long one may be open. Defaults to 24h.
	Age unwind.Duration `json:"age,omitempty"`
	// Amount is how much those of one saga type may put at risk. Defaults to no bound.
	Amount float64 `json:"amount,omitempty"`
}

// AgeAlert is a bound on an age.
type AgeAlert struct {
	// Above is the age that is still silent.
	Above unwind.Duration `json:"above,omitempty"`
}

// WasteAlert is a bound on the share of calls that are turned away or fail.
type WasteAlert struct {
	// Above is the share that is still silent, of the answers of the last minute.
	// Defaults to 0.2.
	Above float64 `json:"above,omitempty"`
	// Minimum is how many answers are judged at least. Defaults to 20.
	Minimum int `json:"minimum,omitempty"`
}

// Links are where alerts lead to.
type Links struct {
	// Dashboard is the address that the path of a filter is appended to. Defaults to
	// the path of the API.
	Dashboard string `json:"dashboard,omitempty"`
	// Runbooks is the address of the folder with the runbooks. Defaults to their place
	// in the repository.
	Runbooks string `json:"runbooks,omitempty"`
}

// A Sink is told of each alert and of its end: one of webhook, slack, pagerduty and
// alertmanager.
type Sink struct {
	// Webhook takes signed calls (Standard Webhooks).
	Webhook string `json:"webhook,omitempty"`
	// Secret signs a webhook's calls: whsec_ and the base64 of 24 to 64 bytes.
	Secret Secret `json:"secret,omitzero"`
	// Slack is the URL of an incoming webhook, which is a secret.
	Slack Secret `json:"slack,omitzero"`
	// PagerDuty is the routing key of an integration (Events API v2).
	PagerDuty Secret `json:"pagerduty,omitzero"`
	// URL is where PagerDuty's events go. Defaults to its service in the US.
	URL string `json:"url,omitempty"`
	// Alertmanager is the base of its API.
	Alertmanager string `json:"alertmanager,omitempty"`
	// AllowPrivate lets the name in the URL resolve to private addresses.
	AllowPrivate bool `json:"allow_private,omitempty"`
}

func (a Alerts) withDefaults() Alerts {
	r := a.Rules().WithDefaults()
	a.DeadLetters.PerMinute, a.DeadLetters.Age = r.PerMinute, r.DeadLetterAge
	a.CompensationAge.Above, a.Gate.Above = r.CompensationAge, r.Gate
	a.WastedCalls = WasteAlert{r.Wasted, r.WastedMinimum}
	return a
}

// Rules are the bounds as the engine takes them.
func (a Alerts) Rules() unwind.AlertRules {
	return unwind.AlertRules{
		DeadLetters: a.DeadLetters.Above, PerMinute: a.DeadLetters.PerMinute, DeadLetterAge: a.DeadLetters.Age, Amount: a.DeadLetters.Amount,
		CompensationAge: a.CompensationAge.Above, Gate: a.Gate.Above, Wasted: a.WastedCalls.Above, WastedMinimum: a.WastedCalls.Minimum,
	}
}
