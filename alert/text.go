package alert

import (
	"strings"
	"unicode/utf8"

	"github.com/unwindhq/unwind"
)

// titles say in a few words what an alert of a kind is.
var titles = map[string]string{
	unwind.AlertDeadLetter:       "Dead letters",
	unwind.AlertDeadLetterGrowth: "Dead letters grow",
	unwind.AlertDeadLetterAge:    "A dead letter is old",
	unwind.AlertAmount:           "Money at risk",
	unwind.AlertCompensationAge:  "Compensations are late",
	unwind.AlertServiceFault:     "Service fault",
	unwind.AlertBreaker:          "Breaker open",
	unwind.AlertGate:             "Lane closed for long",
	unwind.AlertRetryAfter:       "Retry-After over the cap",
	unwind.AlertLaneGuard:        "Lane paused itself",
	unwind.AlertWasted:           "Wasted calls",
	unwind.AlertDeadline:         "Deadline passed",
	unwind.AlertStuck:            "Can't go on",
}

func title(kind string) string {
	if t := titles[kind]; t != "" {
		return t
	}
	return kind
}

// severity is how soon a person is needed, in PagerDuty's words.
func severity(kind string) string {
	switch kind {
	case unwind.AlertDeadLetter, unwind.AlertDeadLetterGrowth, unwind.AlertAmount, unwind.AlertLaneGuard, unwind.AlertServiceFault:
		return "critical"
	case unwind.AlertBreaker, unwind.AlertCompensationAge, unwind.AlertDeadLetterAge, unwind.AlertStuck:
		return "error"
	}
	return "warning"
}

// summary is an alert in one line.
func summary(a *unwind.Alert) string { return title(a.Kind) + ": " + a.Message }

// cut shortens a text to so many bytes, between two characters.
func cut(text string, most int) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if len(text) <= most {
		return text
	}
	most -= len("…")
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most] + "…"
}

// isURL tells a link that can be followed from a path.
func isURL(link string) bool {
	return strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")
}
