package engine

import (
	"net/url"
	"strings"

	"github.com/unwindhq/unwind"
)

// AlertLinks are where alerts lead to.
type AlertLinks struct {
	// Dashboard is the address that the path of a filter is appended to. Empty: links
	// are paths of the HTTP API.
	Dashboard string
	// Runbooks is the address that the name of a page is appended to. Defaults to
	// their place in the repository, docs/runbooks.
	Runbooks string
}

// DefaultRunbooks is where runbooks lie in the repository.
const DefaultRunbooks = "docs/runbooks"

func (l AlertLinks) runbook(kind string) string {
	base := l.Runbooks
	if base == "" {
		base = DefaultRunbooks
	}
	return strings.TrimSuffix(base, "/") + "/" + kind + ".md"
}

// link leads to what an alert is about, with the filter applied.
func (l AlertLinks) link(a *unwind.Alert) string {
	base := "/v1"
	if l.Dashboard != "" {
		base = strings.TrimSuffix(l.Dashboard, "/")
	}
	return base + filterOf(a)
}

func filterOf(a *unwind.Alert) string {
	deadLetters := func(names ...string) string {
		q := url.Values{"state": {string(unwind.DeadLetterOpen)}}
		for i := 0; i < len(names); i += 2 {
			if names[i+1] != "" {
				q.Set(names[i], names[i+1])
			}
		}
		return "/dead-letters?" + q.Encode()
	}
	switch {
	case a.Kind == unwind.AlertDeadLetter:
		return deadLetters("group", a.Group)
	case a.Kind == unwind.AlertDeadLetterGrowth, a.Kind == unwind.AlertDeadLetterAge:
		return deadLetters()
	case a.Kind == unwind.AlertAmount:
		return deadLetters("saga", a.Saga)
	case a.SagaID != "" && (a.Kind == unwind.AlertDeadline || a.Kind == unwind.AlertStuck):
		return "/sagas/" + a.SagaID
	case a.Service != "":
		return "/services/" + url.PathEscape(a.Service)
	}
	return "/services"
}
